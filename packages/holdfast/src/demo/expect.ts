import { setTimeout as sleep } from 'node:timers/promises';

/** What a look at the world found: the thing awaited, or what was there instead, in words. */
export type Sight<T> = { kind: 'found'; value: T } | { kind: 'notYet'; seen: string };

export class Unmet extends Error {
  constructor(expected: string, seen: string, timeoutMs: number) {
    super(`expected: ${expected}\n    seen after ${timeoutMs / 1000} s: ${seen}`);
  }
}

const lookEveryMs = 10;

/** Looks until the thing is there. @throws Unmet after `timeoutMs`, saying what was expected and what was seen. */
export async function expectSoon<T>(deps: {
  what: string;
  look: () => Sight<T> | Promise<Sight<T>>;
  timeoutMs: number;
  signal: AbortSignal;
}): Promise<T> {
  const deadline = performance.now() + deps.timeoutMs;
  for (;;) {
    const sight = await deps.look();
    if (sight.kind === 'found') return sight.value;
    deps.signal.throwIfAborted();
    if (performance.now() > deadline) throw new Unmet(deps.what, sight.seen, deps.timeoutMs);
    await sleep(lookEveryMs, undefined, { signal: deps.signal });
  }
}

export function found<T>(value: T): Sight<T> {
  return { kind: 'found', value };
}

export function notYet(seen: string): Sight<never> {
  return { kind: 'notYet', seen };
}
