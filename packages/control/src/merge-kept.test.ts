import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { mergeKept } from './merge-kept.ts';

type Field = number | Field[] | { [key: string]: Field };

const { value: field } = fc.letrec<{ value: Field }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.nat(9),
    fc.uniqueArray(fc.nat(9), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('value')),
  ),
}));
const object = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), field);

/** A projection that keeps what the bits say: whole fields, parts of records, some elements of lists. */
function project(value: Field, bits: Iterator<boolean>): Field {
  const isKeptWhole = bits.next().value === true;
  if (isKeptWhole || typeof value === 'number') return value;
  if (Array.isArray(value)) return value.filter(() => bits.next().value === true);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (bits.next().value === true ? [[key, project(each, bits)]] : [])),
  );
}

/** Every leaf with the way to it. */
function leaves(value: Field, path = ''): string[] {
  if (typeof value === 'number') return [`${path}=${value}`];
  if (Array.isArray(value)) return [`${path}[]`, ...value.map((each) => `${path}[${JSON.stringify(each)}]`)];
  return [`${path}{}`, ...Object.entries(value).flatMap(([key, each]) => leaves(each, `${path}.${key}`))];
}

it('keeps what either has kept, and nothing else', () => {
  fc.assert(
    fc.property(object, fc.infiniteStream(fc.boolean()), (whole, bits) => {
      const [a, b] = [project(whole, bits), project(whole, bits)];
      expect(new Set(leaves(mergeKept(a, b)))).toEqual(new Set([...leaves(a), ...leaves(b)]));
    }),
  );
});

it('takes over what one of them has whole', () => {
  fc.assert(
    fc.property(object, fc.infiniteStream(fc.boolean()), (whole, bits) => {
      const part = project(whole, bits);
      expect(mergeKept(whole, part)).toBe(whole);
      expect(mergeKept(part, whole)).toEqual(whole);
    }),
  );
  const csi = { driver: 'd', volumeHandle: 'v' };
  const merged = mergeKept<object>({ spec: { csi } }, { spec: { csi: { driver: 'd' } }, status: {} });
  expect(Object.entries(merged)).toEqual([
    ['spec', { csi }],
    ['status', {}],
  ]);
});

it('leaves both as they were', () => {
  const a = Object.freeze({ x: Object.freeze({ one: 1 }) });
  const b = Object.freeze({ x: Object.freeze({ two: 2 }), y: Object.freeze(['f']) });
  expect(mergeKept<object>(a, b)).toEqual({ x: { one: 1, two: 2 }, y: ['f'] });
});
