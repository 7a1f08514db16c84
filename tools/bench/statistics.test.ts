import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { median, percentile, spreadOf } from './statistics.ts';

const oneToHundred = Array.from({ length: 100 }, (_, index) => 100 - index);
const someNumbers = fc.array(fc.double({ noNaN: true }), { minLength: 1 });

describe('percentile', () => {
  it.each([
    [0, 1],
    [1, 1],
    [50, 50],
    [90, 90],
    [99, 99],
    [99.5, 100],
    [100, 100],
  ])('of 1 to 100 at %d is %d', (percent, expected) => {
    expect(percentile(oneToHundred, percent)).toBe(expected);
  });

  it('sorts as numbers, not as text', () => {
    expect(percentile([10, 9, 100], 100)).toBe(100);
  });

  it('is always one of the values', () => {
    fc.assert(
      fc.property(someNumbers, fc.integer({ min: 0, max: 100 }), (values, percent) => {
        expect(values).toContain(percentile(values, percent));
      }),
    );
  });

  it('refuses what has none', () => {
    expect(() => percentile([], 50)).toThrow('no values');
    expect(() => percentile([1], 101)).toThrow('from 0 to 100, got 101');
  });
});

describe('median', () => {
  it.each([
    [[7], 7],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('refuses none', () => {
    expect(() => median([])).toThrow('no values');
  });
});

describe('spreadOf', () => {
  it('is in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const { min, median: middle, max } = spreadOf(values);
        expect(min).toBeLessThanOrEqual(middle);
        expect(middle).toBeLessThanOrEqual(max);
      }),
    );
  });

  it('leaves the values as they are', () => {
    const values = [3, 1, 2];
    spreadOf(values);
    expect(values).toEqual([3, 1, 2]);
  });
});
