import { createFifo, type Fifo } from './fifo.ts';

/** Which of the keys that wait is next. */
export interface KeyOrder {
  push(key: string): void;
  /** Undefined when no key waits, or when all that wait are held back. */
  take(): string | undefined;
  /** A key that waits was added again. */
  pushedAgain?(key: string): void;
  /** A key that was taken is no longer in work. */
  finished?(key: string): void;
  /** Keys waiting, those held back among them. */
  readonly length: number;
}

export interface LanesDeps {
  /** Asked whenever the key is added: what is to be done with it may change while it waits. */
  readonly laneOf: (key: string) => string;
  /** So many keys of one lane may be in work at once. One worker less than there are keeps one for the others. */
  readonly maxPerLane: number;
}

/**
 * Keys of several kinds side by side: those of a lane go in the order they came, and the lanes take turns. So a thousand
 * keys of one kind do not stand before the first of another.
 */
export function createLanes({ laneOf, maxPerLane }: LanesDeps): KeyOrder {
  // The lane whose turn it is comes first. A key that changed lanes still stands in its former one, and is passed over.
  const lanes = new Map<string, Fifo<string>>();
  const waiting = new Map<string, string>();
  const working = new Map<string, string>();
  const workingIn = new Map<string, number>();

  function pushTo(lane: string, key: string): void {
    waiting.set(key, lane);
    const keys = lanes.get(lane) ?? createFifo<string>();
    lanes.set(lane, keys);
    keys.push(key);
  }

  function nextOf(lane: string, keys: Fifo<string>): string | undefined {
    for (;;) {
      const key = keys.take();
      if (key === undefined || waiting.get(key) === lane) return key;
    }
  }

  return {
    push: (key) => pushTo(laneOf(key), key),
    pushedAgain(key) {
      const lane = laneOf(key);
      if (waiting.get(key) !== lane) pushTo(lane, key);
    },
    take() {
      for (const [lane, keys] of lanes) {
        const count = workingIn.get(lane) ?? 0;
        if (count >= maxPerLane) continue;
        lanes.delete(lane);
        const key = nextOf(lane, keys);
        if (key === undefined) continue;
        // To the end of the turns.
        lanes.set(lane, keys);
        waiting.delete(key);
        working.set(key, lane);
        workingIn.set(lane, count + 1);
        return key;
      }
      return undefined;
    },
    finished(key) {
      const lane = working.get(key);
      if (lane === undefined) return;
      working.delete(key);
      workingIn.set(lane, (workingIn.get(lane) ?? 1) - 1);
    },
    get length() {
      return waiting.size;
    },
  };
}
