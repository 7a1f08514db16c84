import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatGoDuration, GoDurationError, parseGoDuration } from './go-duration.ts';

describe('parseGoDuration', () => {
  it.each([
    ['0', 0],
    ['+0', 0],
    ['-0', 0],
    ['5s', 5_000],
    ['+5s', 5_000],
    ['-5s', -5_000],
    ['5.0s', 5_000],
    ['5.s', 5_000],
    ['.5s', 500],
    ['1.004s', 1_004],
    ['100.00100s', 100_001],
    ['10ns', 0.00001],
    ['11us', 0.011],
    ['12\u00b5s', 0.012],
    ['12\u03bcs', 0.012],
    ['13ms', 13],
    ['3h30m', 12_600_000],
    ['10.5s4m', 250_500],
    ['-2m3.4s', -123_400],
    ['39h9m14.425s', 140_954_425],
    ['0.3333333333333333333h', 1_200_000],
    ['0.100000000000000000000h', 360_000],
  ])('%s is %s ms', (text, ms) => {
    expect(parseGoDuration(text)).toBe(ms);
  });

  it.each([
    ['', 'time: invalid duration ""'],
    ['-', 'time: invalid duration "-"'],
    ['s', 'time: invalid duration "s"'],
    ['.', 'time: invalid duration "."'],
    ['.s', 'time: invalid duration ".s"'],
    ['+.s', 'time: invalid duration "+.s"'],
    ['3', 'time: missing unit in duration "3"'],
    ['1s3', 'time: missing unit in duration "1s3"'],
    ['1d', 'time: unknown unit "d" in duration "1d"'],
    ['1 s', 'time: unknown unit " s" in duration "1 s"'],
    ['1S', 'time: unknown unit "S" in duration "1S"'],
    ['1s-2m', 'time: unknown unit "s-" in duration "1s-2m"'],
    ['9223372036854775809', 'time: invalid duration "9223372036854775809"'],
    ['9223372036854775808ns', 'time: invalid duration "9223372036854775808ns"'],
    ['9223372036854775.808us', 'time: invalid duration "9223372036854775.808us"'],
    ['2562048h', 'time: invalid duration "2562048h"'],
    ['1"', 'time: unknown unit "\\"" in duration "1\\""'],
    ['1é', 'time: unknown unit "\\xc3\\xa9" in duration "1\\xc3\\xa9"'],
  ])('%j: %s', (text, message) => {
    expect(() => parseGoDuration(text)).toThrow(new GoDurationError(message));
  });

  it('reads the most negative duration', () => {
    expect(parseGoDuration('-9223372036854775808ns')).toBe(-(2 ** 63) / 1e6);
  });
});

describe('formatGoDuration', () => {
  it.each([
    [0, '0s'],
    [0.000001, '1ns'],
    [0.0011, '1.1µs'],
    [2.2, '2.2ms'],
    [250, '250ms'],
    [3_300, '3.3s'],
    [10_000, '10s'],
    [60_000, '1m0s'],
    [90_000, '1m30s'],
    [245_000, '4m5s'],
    [3_600_000, '1h0m0s'],
    [18_367_001, '5h6m7.001s'],
    [-1_500, '-1.5s'],
  ])('%s ms is %s', (ms, text) => {
    expect(formatGoDuration(ms)).toBe(text);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses %s', (ms) => {
    expect(() => formatGoDuration(ms)).toThrow(GoDurationError);
  });
});

describe('properties', () => {
  it('what is written is read back, to the nanosecond', () => {
    // 2^50 ns is 13 days: up to there a float of milliseconds keeps every nanosecond.
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 50), max: 2 ** 50 }), (ns) => {
        const text = formatGoDuration(ns / 1e6);
        expect(Math.round(parseGoDuration(text) * 1e6)).toBe(ns === 0 ? 0 : ns);
      }),
    );
  });

  it('any text gives a finite number or a GoDurationError', () => {
    const hostile = fc.oneof(fc.string(), fc.stringMatching(/^[-+.0-9nuµmsh]*$/));
    fc.assert(
      fc.property(hostile, (text) => {
        try {
          expect(parseGoDuration(text)).toSatisfy(Number.isFinite);
        } catch (error) {
          expect(error).toBeInstanceOf(GoDurationError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('a longer duration is never read as a shorter one', () => {
    fc.assert(
      fc.property(fc.nat(10 ** 7), fc.nat(10 ** 7), fc.constantFrom('ns', 'us', 'ms', 's', 'm'), (a, b, unit) => {
        expect(parseGoDuration(`${a}${unit}`) <= parseGoDuration(`${a + b}${unit}`)).toBe(true);
      }),
    );
  });
});
