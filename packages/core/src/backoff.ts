export interface BackoffOptions {
  baseMs: number;
  maxMs: number;
  /** Growth per failure; 2 when not given. */
  factor?: number;
  /** Spread: the delay is multiplied by a number in [1, 1 + jitter). None when not given. */
  jitter?: number;
  random?: () => number;
}

/**
 * The delay after `failures` earlier failures: base × factor^failures, capped, then spread.
 * The spread comes after the cap, as in client-go, so that capped callers still do not march in step.
 */
export function backoffDelayMs(failures: number, options: BackoffOptions): number {
  const { baseMs, maxMs, factor = 2, jitter = 0, random = Math.random } = options;
  const grownMs = baseMs * factor ** failures;
  // A long row of failures overflows to Infinity, and 0 × Infinity is NaN: neither may reach a timer.
  const cappedMs = Number.isNaN(grownMs) ? baseMs : Math.min(grownMs, maxMs);
  return cappedMs * (1 + jitter * random());
}

export interface Backoff {
  /** The delay before the next try; each call counts one failure. */
  nextMs(): number;
  reset(): void;
}

export function createBackoff(options: BackoffOptions): Backoff {
  let failures = 0;
  return {
    nextMs: () => backoffDelayMs(failures++, options),
    reset() {
      failures = 0;
    },
  };
}
