import { type Clock, sleepOn } from '../clock.ts';

export interface FakeClock extends Clock {
  /** Moves time on by `ms`, firing each timer at its time and letting what it wakes run before the next fires. */
  advance(ms: number): Promise<void>;
  /** How many timers and sleeps are pending. */
  timers(): number;
}

interface Timer {
  readonly atMs: number;
  readonly fire: () => void;
}

/** A clock that stands still until told to move. Wall and monotonic time move together. */
export function createFakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  let elapsedMs = 0;
  const pending = new Set<Timer>();

  function setTimer(ms: number, fire: () => void): () => void {
    const timer = { atMs: elapsedMs + Math.max(0, ms), fire };
    pending.add(timer);
    return () => pending.delete(timer);
  }

  /** The earliest timer that is due; of equals the one set first. */
  function nextDue(untilMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of pending) {
      if (timer.atMs <= untilMs && (next === undefined || timer.atMs < next.atMs)) next = timer;
    }
    return next;
  }

  return {
    nowMs: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    sleep: (ms, signal) => sleepOn({ setTimer }, ms, signal),
    setTimer,
    timers: () => pending.size,
    async advance(ms) {
      const untilMs = elapsedMs + ms;
      await settle();
      for (let timer = nextDue(untilMs); timer !== undefined; timer = nextDue(untilMs)) {
        elapsedMs = timer.atMs;
        pending.delete(timer);
        timer.fire();
        await settle();
      }
      elapsedMs = untilMs;
    },
  };
}

/** Lets promise chains, and what they put on the next turn of the event loop, run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}
