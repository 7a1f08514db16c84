import { setTimeout as sleep } from 'node:timers/promises';

const lookEveryMs = 50;

/**
 * Looks until `look` finds something.
 * @param look returns undefined for "not yet"; what it throws ends the waiting
 * @throws Error after `timeoutMs`, saying what was awaited
 */
export async function waitUntil<T>(deps: {
  readonly what: string;
  readonly look: () => Promise<T | undefined> | T | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}): Promise<T> {
  const { what, look, timeoutMs, signal } = deps;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`);
    await sleep(lookEveryMs, undefined, { signal });
  }
}
