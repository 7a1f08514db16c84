import type { Clock } from '@holdfast/core';
import type { PersistentVolumeClaim } from '@holdfast/kube';
import { createClaimMemory } from './claim-memory.ts';

/**
 * Events live an hour (`--event-ttl` of kube-apiserver). A failure that lasts is told again well before that, so that
 * whoever looks finds it.
 */
const TOLD_FOR_MS = 10 * 60_000;

/** Which failure a user has been told of lately. A driver that fails all day costs a few writes, not one for each try. */
export interface FailureNotices {
  /** Whether this is another failure than the last one, or one told long ago. It counts as told from then on. */
  isNews(claim: PersistentVolumeClaim, failure: string): boolean;
  /** Called when a claim (`namespace/name`) is gone and when what failed has succeeded. */
  forget(key: string): void;
}

export function createFailureNotices(deps: { clock: Clock }): FailureNotices {
  const { clock } = deps;
  const told = createClaimMemory({ failure: '', untilMs: Number.NEGATIVE_INFINITY });
  return {
    isNews(claim, failure) {
      const nowMs = clock.monotonicMs();
      const last = told.facts(claim);
      if (last.failure === failure && nowMs < last.untilMs) return false;
      told.set(claim, { failure, untilMs: nowMs + TOLD_FOR_MS });
      return true;
    },
    forget: told.forget,
  };
}
