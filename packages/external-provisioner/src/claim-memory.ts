import type { Clock } from '@holdfast/core';
import type { ClaimProgress } from './claim-progress.ts';
import type { ClaimView } from './decide.ts';
import { sourceKey } from './source-ref.ts';

/**
 * What this process remembers of claims, by claim uid. After a restart the claims themselves tell what to do, and the
 * journal tells of those that may be gone.
 */
export interface ClaimMemory {
  progress(uid: string): ClaimProgress | undefined;
  setProgress(uid: string, progress: ClaimProgress): void;
  clearProgress(uid: string): void;
  infeasible(uid: string): ClaimView['infeasible'];
  setInfeasible(uid: string, storageClassUid: string, forMs: number): void;
  has(uid: string): boolean;
  /** The claims, there or gone, whose volume is on its way. */
  open(): Exclude<ClaimProgress, { kind: 'saved' }>[];
  /** The claims, there or gone, whose volume is being made from the source of this key. */
  usersOf(sourceKey: string): string[];
  forget(uid: string): void;
}

/** @param deps.onSettled hears of a claim once no volume of it is on its way any more */
export function createClaimMemory(deps: { clock: Clock; onSettled: (uid: string) => void }): ClaimMemory {
  const { clock, onSettled } = deps;
  const progressByUid = new Map<string, ClaimProgress>();
  const infeasibleByUid = new Map<string, { storageClassUid: string; untilMs: number }>();
  return {
    progress: (uid) => progressByUid.get(uid),
    setProgress(uid, progress) {
      progressByUid.set(uid, progress);
      if (progress.kind === 'saved') onSettled(uid);
    },
    clearProgress(uid) {
      progressByUid.delete(uid);
      onSettled(uid);
    },
    infeasible(uid) {
      const entry = infeasibleByUid.get(uid);
      if (!entry) return undefined;
      const remainingMs = entry.untilMs - clock.monotonicMs();
      return remainingMs > 0 ? { storageClassUid: entry.storageClassUid, remainingMs } : undefined;
    },
    setInfeasible(uid, storageClassUid, forMs) {
      infeasibleByUid.set(uid, { storageClassUid, untilMs: clock.monotonicMs() + forMs });
    },
    usersOf: (key) =>
      [...progressByUid]
        .filter(([, progress]) => {
          const source = progress.kind === 'saved' ? undefined : progress.plan.source;
          return source !== undefined && sourceKey(source) === key;
        })
        .map(([uid]) => uid),
    open: () => [...progressByUid.values()].filter((progress) => progress.kind !== 'saved'),
    has: (uid) => progressByUid.has(uid) || infeasibleByUid.has(uid),
    forget(uid) {
      progressByUid.delete(uid);
      onSettled(uid);
      infeasibleByUid.delete(uid);
    },
  };
}
