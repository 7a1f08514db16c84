import type { Clock } from '@holdfast/core';

export interface PeriodicWork {
  /** Pause before each round, counted from the end of the one before. */
  readonly periodMs: number;
  /** Starts with a round instead of a pause. */
  readonly isFirstAtOnce?: boolean;
  /** One round. What it throws ends the work. */
  readonly act: (signal: AbortSignal) => Promise<void> | void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Acts again and again until the signal aborts, and returns then. */
export async function runPeriodically({ periodMs, isFirstAtOnce, act, clock, signal }: PeriodicWork): Promise<void> {
  if (isFirstAtOnce && !signal.aborted) await act(signal);
  while (!signal.aborted) {
    // The pause ends early only when the signal aborts, and the loop with it.
    await clock.sleep(periodMs, signal).catch(() => {});
    if (!signal.aborted) await act(signal);
  }
}
