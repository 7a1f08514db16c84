import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareQuantities,
  formatBytes,
  formatQuantity,
  parseBytes,
  parseQuantity,
  QuantityError,
  quantityFromBytes,
  quantityToBytes,
} from './quantity.ts';

const MAX_INT64 = 2n ** 63n - 1n;

describe('parse and canonical form', () => {
  // Expected values are what CanonicalizeBytes of k8s.io/apimachinery prints, but for 1000E.
  it.each([
    ['0', '0'],
    ['-0', '0'],
    ['+1', '1'],
    ['0001', '1'],
    ['1n', '1n'],
    ['1000n', '1u'],
    ['5u', '5u'],
    ['100m', '100m'],
    ['1.5', '1500m'],
    ['.5', '500m'],
    ['5.', '5'],
    ['1.500', '1500m'],
    ['1000', '1k'],
    ['1024', '1024'],
    ['1k', '1k'],
    ['10M', '10M'],
    ['1000G', '1T'],
    ['1P', '1P'],
    ['1E', '1E'],
    ['1000E', '1e21'],
    ['1e3', '1e3'],
    ['1E3', '1e3'],
    ['1e+3', '1e3'],
    ['1e4', '10e3'],
    ['1e-3', '1e-3'],
    ['12e6', '12e6'],
    ['100e0', '100'],
    ['1Ki', '1Ki'],
    ['0.5Ki', '512'],
    ['1000Ki', '1000Ki'],
    ['1024Ki', '1Mi'],
    ['1.5Gi', '1536Mi'],
    ['1Ti', '1Ti'],
    ['1Pi', '1Pi'],
    ['7Ei', '7Ei'],
    ['-1.5Gi', '-1536Mi'],
    ['0.0001Ki', '102400u'],
    ['1024.0005Ki', '1048576512m'],
    ['0.1n', '1n'],
    ['-0.1n', '-1n'],
    ['1.0000000001', '1000000001n'],
    ['1e-100', '1e-9'],
  ])('%s prints as %s', (text, canonical) => {
    expect(formatQuantity(parseQuantity(text))).toBe(canonical);
  });

  it.each([
    '',
    ' ',
    ' 1',
    '1 ',
    '1 Gi',
    '\t1',
    '1\n',
    '1.1.M',
    '1+1.0M',
    '0.1mi',
    '0.1am',
    'aoeu',
    '.5i',
    '1i',
    '-3.01e-',
  ])('refuses %j, as Go does', (text) => {
    expect(() => parseQuantity(text)).toThrow(QuantityError);
  });

  it.each([
    '1ki',
    '1KI',
    '1gi',
    '1K',
    '1e',
    '1ee',
    '1e1.5',
    '0x10',
    '1,5',
    '١',
    '1Gi2',
    '--1',
    '1Gib',
    'NaN',
    'Infinity',
  ])('refuses %j', (text) => {
    expect(() => parseQuantity(text)).toThrow(QuantityError);
  });

  it.each(['k', '.', '-', '+', 'Ki', 'e3'])('refuses %j, which has no digit', (text) => {
    expect(() => parseQuantity(text)).toThrow('write a number');
  });

  it('names the text and the remedy', () => {
    expect(() => parseQuantity('10 GB')).toThrow(/"10 GB".*10Gi/);
    expect(() => parseQuantity('10GB')).toThrow(/"10GB".*"GB".*Gi/);
  });

  it('refuses a text of unreasonable length without repeating it', () => {
    expect(() => parseQuantity('1'.repeat(1025))).toThrow(/1025 characters/);
    expect(() => parseQuantity('1'.repeat(1024))).not.toThrow();
  });

  it('refuses an exponent outside 32 bits', () => {
    expect(() => parseQuantity('1e2147483648')).toThrow(QuantityError);
  });
});

describe('bytes', () => {
  it.each([
    ['1.5', 2n],
    ['1n', 1n],
    ['-1.5', -2n],
    ['0', 0n],
    ['1Gi', 2n ** 30n],
    ['1G', 10n ** 9n],
    ['9223372036854775807', MAX_INT64],
    ['-9223372036854775808', -(2n ** 63n)],
    ['0e999999999', 0n],
  ])('%s is %s', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each([
    '8Ei',
    '9Ei',
    '9223372036854775808',
    '9223372036854775807.1',
    '-9223372036854775809',
    '10E',
    '1e2000000000',
    '1e100',
  ])('%s does not fit 64 bits', (text) => {
    expect(() => parseBytes(text)).toThrow(/does not fit 64 bits/);
  });

  it.each([
    [0n, '0'],
    [1n, '1'],
    [1000n, '1k'],
    [1023n, '1023'],
    [1500n, '1500'],
    [2n ** 30n, '1Gi'],
    [2n ** 30n * 3n + 1n, '3221225473'],
    [-(2n ** 20n), '-1Mi'],
  ])('%s is written %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('compare', () => {
  it.each([
    ['1Ki', '1024', 0],
    ['1k', '1Ki', -1],
    ['0', '-0', 0],
    ['-1', '1', -1],
    ['-2', '-1', -1],
    ['0.5', '500m', 0],
    ['1e2000000000', '1e1999999999', 1],
    ['-1e2000000000', '-1e1999999999', -1],
    ['9', '10', -1],
  ] as const)('%s against %s is %s', (a, b, expected) => {
    expect(compareQuantities(parseQuantity(a), parseQuantity(b))).toBe(expected);
    expect(compareQuantities(parseQuantity(b), parseQuantity(a))).toBe(expected === 0 ? 0 : -expected);
  });
});

describe('properties', () => {
  const suffix = fc.constantFrom(
    'n',
    'u',
    'm',
    '',
    'k',
    'M',
    'G',
    'T',
    'P',
    'E',
    'Ki',
    'Mi',
    'Gi',
    'Ti',
    'Pi',
    'Ei',
    'e3',
    'E-2',
  );
  const number = fc
    .tuple(
      fc.constantFrom('', '-', '+'),
      fc.bigInt(0n, 10n ** 20n),
      fc.option(fc.stringMatching(/^[0-9]{0,12}$/), { nil: undefined }),
    )
    .map(([sign, whole, fraction]) => `${sign}${whole}${fraction === undefined ? '' : `.${fraction}`}`);
  const text = fc.tuple(number, suffix).map((parts) => parts.join(''));
  const bytes = fc.bigInt(-(2n ** 63n), MAX_INT64);

  it('the canonical form is read back as the same value and printed the same', () => {
    fc.assert(
      fc.property(text, (each) => {
        const quantity = parseQuantity(each);
        const canonical = formatQuantity(quantity);
        const again = parseQuantity(canonical);
        expect(compareQuantities(again, quantity)).toBe(0);
        expect(formatQuantity(again)).toBe(canonical);
      }),
    );
  });

  it('bytes survive the way through text', () => {
    fc.assert(
      fc.property(bytes, (each) => {
        expect(parseBytes(formatBytes(each))).toBe(each);
      }),
    );
  });

  it('orders as the numbers do', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const order = compareQuantities(quantityFromBytes(a), quantityFromBytes(b));
        expect(order).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  it('rounds away from zero by less than one', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 17n), 10n ** 17n), (nanos) => {
        const whole = quantityToBytes(parseQuantity(`${nanos}n`));
        const excess = whole * 10n ** 9n - nanos;
        expect(nanos < 0n ? -excess : excess).toBeGreaterThanOrEqual(0n);
        expect(nanos < 0n ? -excess : excess).toBeLessThan(10n ** 9n);
      }),
    );
  });

  it('any text gives a quantity or a QuantityError', () => {
    const hostile = fc.oneof(fc.string(), fc.stringMatching(/^[-+.0-9eEinumkKMGTP]*$/));
    fc.assert(
      fc.property(hostile, (each) => {
        try {
          const printed = formatQuantity(parseQuantity(each));
          expect(printed).toMatch(/^-?[0-9]+([KMGTPE]i|[numkMGTPE]|e-?[0-9]+)?$/);
        } catch (error) {
          expect(error).toBeInstanceOf(QuantityError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
