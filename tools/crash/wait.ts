import { setTimeout as pause } from 'node:timers/promises';

const LOOK_EVERY_MS = 40;

/** Waits as users wait: by looking. `isTrue` may do what somebody else in the cluster would do on seeing it. */
export async function until(what: string, signal: AbortSignal, isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) {
    if (signal.aborted) throw new Error(`waited in vain until ${what}`);
    await pause(LOOK_EVERY_MS);
  }
}
