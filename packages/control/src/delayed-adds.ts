import type { Clock } from '@holdfast/core';

export interface DelayedAdds {
  /** Reports `key` after `delayMs`. A key waits once: of two deadlines the earlier counts. */
  schedule(key: string, delayMs: number): void;
  /** How long until the key is reported; undefined when it does not wait. */
  remainingMs(key: string): number | undefined;
  clear(): void;
}

/** The waiting room of a work queue: client-go's delaying queue. */
export function createDelayedAdds(clock: Clock, onDue: (key: string) => void): DelayedAdds {
  const waiting = new Map<string, { dueMs: number; cancel: () => void }>();
  return {
    schedule(key, delayMs) {
      const dueMs = clock.monotonicMs() + delayMs;
      const earlier = waiting.get(key);
      if (earlier) {
        if (earlier.dueMs <= dueMs) return;
        earlier.cancel();
      }
      const cancel = clock.setTimer(delayMs, () => {
        waiting.delete(key);
        onDue(key);
      });
      waiting.set(key, { dueMs, cancel });
    },
    remainingMs(key) {
      const entry = waiting.get(key);
      return entry && Math.max(0, entry.dueMs - clock.monotonicMs());
    },
    clear() {
      for (const { cancel } of waiting.values()) cancel();
      waiting.clear();
    },
  };
}
