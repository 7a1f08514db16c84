import type { Clock } from '@holdfast/core';

/** Of quicker work the result says enough: an event about its progress is an API write. */
const SLOW_AFTER_MS = 1_000;

/** Does `work`, and calls `tell` once if it takes longer than a second. */
export async function tellIfSlow<T>(clock: Clock, tell: () => void, work: () => Promise<T>): Promise<T> {
  const cancel = clock.setTimer(SLOW_AFTER_MS, tell);
  try {
    return await work();
  } finally {
    cancel();
  }
}
