import { backoffDelayMs, type Clock } from '@holdfast/core';
import type { NodeRole } from './node-role.ts';

/**
 * When this node tries to take a claim that any node may take. All nodes see it at the same moment: each waits a while of
 * its own, longer after each time that another was faster.
 */
export interface Contention {
  /** How long until the turn comes; undefined when the claim has not been queued for. */
  remainingMs(uid: string): number | undefined;
  /** Queues for the claim, again after a lost try. @returns how long to wait */
  queueUp(uid: string): number;
  /** Waits as long as one waits at most: there is no room now, and nobody tells when there is. */
  rest(uid: string): number;
  forget(uid: string): void;
}

export function createContention(deps: {
  role: Pick<NodeRole, 'baseDelayMs' | 'maxDelayMs'>;
  clock: Clock;
  random?: () => number;
}): Contention {
  const { role, clock, random = Math.random } = deps;
  const { baseDelayMs: baseMs, maxDelayMs: maxMs } = role;
  const turns = new Map<string, { dueMs: number; tries: number }>();

  function wait(uid: string, delayMs: number, tries: number): number {
    turns.set(uid, { dueMs: clock.monotonicMs() + delayMs, tries });
    return delayMs;
  }

  return {
    remainingMs(uid) {
      const turn = turns.get(uid);
      return turn && Math.max(0, turn.dueMs - clock.monotonicMs());
    },
    queueUp(uid) {
      const tries = turns.get(uid)?.tries ?? 0;
      const delayMs = backoffDelayMs(tries, { baseMs, maxMs }) - baseMs * random();
      return wait(uid, Math.max(0, delayMs), tries + 1);
    },
    rest: (uid) => wait(uid, maxMs, turns.get(uid)?.tries ?? 0),
    forget: (uid) => void turns.delete(uid),
  };
}
