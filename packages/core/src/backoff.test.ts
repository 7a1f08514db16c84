import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffDelayMs, createBackoff } from './backoff.ts';

describe('backoffDelayMs', () => {
  it('doubles up to the cap', () => {
    const options = { baseMs: 1000, maxMs: 5000 };
    expect([0, 1, 2, 3, 5000].map((failures) => backoffDelayMs(failures, options))).toEqual([
      1000, 2000, 4000, 5000, 5000,
    ]);
  });

  it('grows by the factor given', () => {
    expect(backoffDelayMs(2, { baseMs: 10, maxMs: 1000, factor: 3 })).toBe(90);
  });

  it('spreads after the cap', () => {
    const options = { baseMs: 1000, maxMs: 1000, jitter: 0.5 };
    expect(backoffDelayMs(4, { ...options, random: () => 0 })).toBe(1000);
    expect(backoffDelayMs(4, { ...options, random: () => 0.5 })).toBe(1250);
  });

  it('is never negative, never NaN, never above the spread cap, and never shrinks with more failures', () => {
    fc.assert(
      fc.property(
        fc.nat(10_000),
        fc.nat(100_000),
        fc.nat(600_000),
        fc.double({ min: 0, max: 2, noNaN: true }),
        (failures, baseMs, maxMs, jitter) => {
          const options = { baseMs, maxMs, jitter, random: () => 0.999 };
          const delayMs = backoffDelayMs(failures, options);
          expect(delayMs).toBeGreaterThanOrEqual(0);
          expect(delayMs).toBeLessThanOrEqual(maxMs * (1 + jitter));
          expect(backoffDelayMs(failures + 1, options)).toBeGreaterThanOrEqual(delayMs);
        },
      ),
    );
  });
});

describe('createBackoff', () => {
  it('counts each call as a failure until it is reset', () => {
    const backoff = createBackoff({ baseMs: 10, maxMs: 1000 });
    expect([backoff.nextMs(), backoff.nextMs(), backoff.nextMs()]).toEqual([10, 20, 40]);
    backoff.reset();
    expect(backoff.nextMs()).toBe(10);
  });
});
