import { objectKey, type PersistentVolumeClaim } from '@holdfast/kube';
import type { ClaimMemory } from './decide.ts';

/** What this process remembers of claims. A claim made anew under an old name starts with nothing. */
export interface Memory {
  of(claim: PersistentVolumeClaim | undefined): ClaimMemory;
  set(claim: PersistentVolumeClaim, facts: Partial<ClaimMemory>): void;
  /** Called when a claim (`namespace/name`) is gone and when an expansion has succeeded. */
  forget(key: string): void;
}

const BLANK: ClaimMemory = { hasFinalError: false, isRefusedInUse: false, restUntilMs: Number.NEGATIVE_INFINITY };

export function createClaimMemory(): Memory {
  const byKey = new Map<string, { uid: string; facts: ClaimMemory }>();

  function of(claim: PersistentVolumeClaim | undefined): ClaimMemory {
    const kept = claim && byKey.get(objectKey(claim));
    return kept && kept.uid === claim.metadata.uid ? kept.facts : BLANK;
  }

  return {
    of,
    set: (claim, facts) =>
      void byKey.set(objectKey(claim), { uid: claim.metadata.uid, facts: { ...of(claim), ...facts } }),
    forget: (key) => void byKey.delete(key),
  };
}
