import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compareQuantities, formatQuantity, parseQuantity, type Quantity, quantityToBytes } from './quantity.ts';

// What k8s.io/apimachinery makes of some thousand texts; `npm run test:quantities -- --write` renews it (needs Go).
const answers = gunzipSync(readFileSync(join(import.meta.dirname, 'testing', 'go-quantities.jsonl.gz')))
  .toString('utf8')
  .trimEnd()
  .split('\n')
  .map((line) => read(JSON.parse(line)));

interface Answer {
  readonly text: string;
  /** Undefined where Go refuses the text. */
  readonly parsed:
    | { readonly canonical: string; readonly scaled: readonly (readonly [number, string])[]; readonly compared: number }
    | undefined;
}

function read(row: unknown): Answer {
  if (!Array.isArray(row)) throw new Error('not an array');
  const [text, canonical, value, milli, kilo, compared] = row;
  if (canonical === undefined) return { text: String(text), parsed: undefined };
  const scaled = [
    [0, String(value)],
    [-3, String(milli)],
    [3, String(kilo)],
  ] as const;
  return { text: String(text), parsed: { canonical: String(canonical), scaled, compared: Number(compared) } };
}

const MAX_INT64 = 2n ** 63n - 1n;
const gibibyte = parseQuantity('1Gi');
const hasDigit = (text: string) => /^[+-]?\.?[0-9]/.test(text);
const parsedOrNot = (text: string) => {
  try {
    return parseQuantity(text);
  } catch {
    return undefined;
  }
};
/** The value over 10^scale, rounded away from zero, as Go's ScaledValue documents it. */
function scaledValue({ mantissa, exponent }: Quantity, scale: number): bigint {
  const power = exponent - scale;
  if (power >= 0) return mantissa * 10n ** BigInt(power);
  const divisor = 10n ** BigInt(-power);
  const quotient = mantissa / divisor;
  if (mantissa % divisor === 0n) return quotient;
  return quotient + (mantissa < 0n ? -1n : 1n);
}
/** Go caps these at 2^63-1 when it reads them. */
const isCapped = (text: string) => {
  const quantity = text.endsWith('i') ? parsedOrNot(text) : undefined;
  return quantity !== undefined && abs(scaledValue(quantity, 0)) > MAX_INT64;
};
const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
/** Whether Go keeps a text in an int64 with a scale (the first of the two forms of ParseQuantity), not in an inf.Dec. */
const isOneInt64 = (text: string) => {
  const [, integer = '', fraction = '', suffix = ''] = /^[+-]?0*([0-9]*)(?:\.([0-9]*))?([a-zA-Z].*)?$/.exec(text) ?? [];
  const digits = integer.length + fraction.length;
  const power = binarySuffixes.indexOf(suffix);
  if (power > 0) return fraction === '' && 15 - digits - 3 * power - 1 >= 0;
  const index = decimalSuffixes.indexOf(suffix);
  const exponent = index === -1 ? Number(suffix.slice(1)) : 3 * (index - 3);
  return digits <= 18 && exponent - fraction.length >= -9;
};
const abs = (value: bigint) => (value < 0n ? -value : value);

describe(`${answers.length} texts are taken as Go takes them`, () => {
  it('which are many, of both kinds', () => {
    expect(answers.length).toBeGreaterThan(5_000);
    expect(answers.filter(({ parsed }) => parsed === undefined).length).toBeGreaterThan(1_000);
  });

  it('refused where Go refuses, and where there is no digit', () => {
    const differing = answers.filter(
      ({ text, parsed }) => (parsedOrNot(text) === undefined) !== (parsed === undefined || !hasDigit(text)),
    );
    expect(differing.map(({ text }) => text)).toEqual([]);
  });

  it('printed as Go prints them', () => {
    const differing = answers.flatMap(({ text, parsed }) => {
      const quantity = parsedOrNot(text);
      if (quantity === undefined || parsed === undefined || isCapped(text)) return [];
      const ours = formatQuantity(quantity);
      // Go's CanonicalizeBytes leaves the exponent away where there is no suffix for it.
      if (quantity.format === 'decimal' && ours.includes('e')) return [];
      return ours === parsed.canonical ? [] : [{ text, ours, go: parsed.canonical }];
    });
    expect(differing).toEqual([]);
  });

  it('rounded as Go rounds them, and refused where Go’s int64 overflows', () => {
    const differing = answers.flatMap(({ text, parsed }) => {
      const quantity = parsedOrNot(text);
      if (quantity === undefined || parsed === undefined || isCapped(text)) return [];
      // Else Go's ScaledValue overflows below zero, and adds one where it should take one away.
      if (quantity.mantissa < 0n && !isOneInt64(text)) return [];
      return parsed.scaled.flatMap(([scale, go]) => {
        const ours = scaledValue(quantity, scale);
        const isInRange = ours <= MAX_INT64 && ours >= -MAX_INT64;
        return !isInRange || String(ours) === go ? [] : [{ text, scale, ours: String(ours), go }];
      });
    });
    expect(differing).toEqual([]);
    for (const { text, parsed } of answers) {
      const quantity = parsedOrNot(text);
      if (quantity === undefined || parsed === undefined) continue;
      const exact = scaledValue(quantity, 0);
      if (exact > MAX_INT64 || exact < -MAX_INT64 - 1n)
        expect(() => quantityToBytes(quantity), text).toThrow(/64 bits/);
      else expect(quantityToBytes(quantity), text).toBe(exact);
    }
  });

  it('of which hundreds are less than zero, and rounded away from it all the same', () => {
    const below = answers.filter(({ text, parsed }) => parsed && text.startsWith('-') && isOneInt64(text));
    expect(below.length).toBeGreaterThan(200);
    const rounded = below.filter(({ text }) => /\.[0-9]*[1-9]|m$|u$|n$/.test(text));
    expect(rounded.length).toBeGreaterThan(30);
  });

  it('compared as Go compares them', () => {
    const differing = answers.filter(({ text, parsed }) => {
      const quantity = parsedOrNot(text);
      return quantity && parsed && !isCapped(text) && compareQuantities(quantity, gibibyte) !== parsed.compared;
    });
    expect(differing.map(({ text }) => text)).toEqual([]);
  });
});
