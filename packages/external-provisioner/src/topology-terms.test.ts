import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareTerms,
  flattenAllowed,
  fnv1,
  isSubset,
  rotate,
  sortAndDeduplicate,
  spreadOffset,
  type Term,
  termOf,
} from './topology-terms.ts';

const segments = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2', '3'));
const terms = fc.array(segments.map(termOf));
const byNumber = (a: number, b: number): number => a - b;

describe('fnv1', () => {
  // Test vectors of the FNV reference (32-bit FNV-1).
  it.each([
    ['', 0x811c9dc5],
    ['a', 0x050c5d7e],
    ['foobar', 0x31f0b262],
  ])('hashes %j as FNV-1, not FNV-1a', (text, hash) => {
    expect(fnv1(text)).toBe(hash);
  });
});

describe('spreadOffset', () => {
  it('sends the claims of one StatefulSet round the terms one by one', () => {
    const start = spreadOffset('data-web-0', 3);
    expect([1, 2, 3, 4].map((ordinal) => spreadOffset(`data-web-${ordinal}`, 3))).toEqual(
      [1, 2, 3, 4].map((ordinal) => (start + ordinal) % 3),
    );
  });

  it('hashes what follows the last dash of the set, so that its claim templates land together', () => {
    expect(spreadOffset('data-web-1', 7)).toBe(spreadOffset('logs-web-1', 7));
    expect(spreadOffset('web-1', 7)).toBe(spreadOffset('data-web-1', 7));
  });

  it('hashes the whole name when no ordinal ends it', () => {
    expect(spreadOffset('my-claim', 1000)).toBe(fnv1('my-claim') % 1000);
    expect(spreadOffset('web-4294967296', 1000)).toBe(fnv1('web-4294967296') % 1000);
  });

  it('adds in 32 bits', () => {
    expect(spreadOffset('web-4294967295', 1000)).toBe(((fnv1('web') + 4294967295) % 2 ** 32) % 1000);
  });
});

describe('flattenAllowed', () => {
  it('multiplies values out within a term and keeps terms apart', () => {
    const flat = flattenAllowed([
      {
        matchLabelExpressions: [
          { key: 'zone', values: ['z1', 'z2'] },
          { key: 'rack', values: ['r1', 'r2'] },
        ],
      },
      { matchLabelExpressions: [{ key: 'zone', values: ['z3'] }] },
      {},
    ]);
    expect(flat).toEqual([
      termOf({ rack: 'r1', zone: 'z1' }),
      termOf({ rack: 'r2', zone: 'z1' }),
      termOf({ rack: 'r1', zone: 'z2' }),
      termOf({ rack: 'r2', zone: 'z2' }),
      termOf({ zone: 'z3' }),
    ]);
  });
});

describe('terms', () => {
  it('sorts shorter terms first, then by key and value', () => {
    const sorted: Term[] = [
      termOf({ z: '1' }),
      termOf({ a: '2', b: '1' }),
      termOf({ a: '2', b: '3' }),
      termOf({ c: '0', d: '0' }),
    ];
    expect(sortAndDeduplicate([...sorted].reverse())).toEqual(sorted);
  });

  it('gives the same list for any order of the input, without duplicates', () => {
    fc.assert(
      fc.property(terms, (list) => {
        const once = sortAndDeduplicate(list);
        expect(sortAndDeduplicate([...list, ...list].reverse())).toEqual(once);
        for (const [index, term] of once.entries()) {
          const next = once[index + 1];
          if (next) expect(compareTerms(term, next)).toBeLessThan(0);
        }
      }),
    );
  });

  it('rotates without loss and leaves its input alone', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), fc.nat(), (items, n) => {
        const before = [...items];
        const start = n % items.length;
        const rotated = rotate(items, start);
        expect(rotated[0]).toBe(items[start]);
        expect(rotated.toSorted(byNumber)).toEqual(items.toSorted(byNumber));
        expect(items).toEqual(before);
      }),
    );
  });

  it('finds every part of a place a subset of it, and no other value', () => {
    expect(isSubset(termOf({ zone: 'z1' }), { zone: 'z1', rack: 'r1' })).toBe(true);
    expect(isSubset(termOf({ zone: 'z2' }), { zone: 'z1', rack: 'r1' })).toBe(false);
    expect(isSubset(termOf({ zone: 'z1', host: 'h' }), { zone: 'z1' })).toBe(false);
  });
});
