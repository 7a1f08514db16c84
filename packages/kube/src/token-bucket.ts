import type { Clock } from '@holdfast/core';

export interface TokenBucket {
  /** Waits for its turn, in order of arrival. */
  take(signal?: AbortSignal): Promise<void>;
}

/** client-go's rate limiter: `burst` requests at once, then `qps` a second. Tokens may be owed, which keeps the order. */
export function createTokenBucket(deps: { qps: number; burst: number; clock: Clock }): TokenBucket {
  const { qps, clock } = deps;
  const burst = Math.max(1, deps.burst);
  let tokens = burst;
  let filledAtMs = clock.monotonicMs();

  return {
    async take(signal) {
      const nowMs = clock.monotonicMs();
      tokens = Math.min(burst, tokens + ((nowMs - filledAtMs) * qps) / 1000);
      filledAtMs = nowMs;
      tokens -= 1;
      if (tokens >= 0) return;
      try {
        await clock.sleep((-tokens * 1000) / qps, signal);
      } catch (error) {
        tokens += 1;
        throw error;
      }
    },
  };
}
