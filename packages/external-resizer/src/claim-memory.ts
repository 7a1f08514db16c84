import { objectKey, type PersistentVolumeClaim } from '@holdfast/kube';
import type { ClaimFacts } from './decide.ts';

/** What this process remembers of claims. A claim made anew under an old name starts with nothing. */
export interface ClaimMemory {
  facts(claim: PersistentVolumeClaim | undefined): ClaimFacts;
  set(claim: PersistentVolumeClaim, facts: Partial<ClaimFacts>): void;
  /** Called when a claim (`namespace/name`) is gone and when an expansion has succeeded. */
  forget(key: string): void;
}

const NOTHING_KNOWN: ClaimFacts = {
  hasFinalError: false,
  isRefusedInUse: false,
  restUntilMs: Number.NEGATIVE_INFINITY,
};

export function createClaimMemory(): ClaimMemory {
  const byKey = new Map<string, { uid: string; facts: ClaimFacts }>();

  function factsOf(claim: PersistentVolumeClaim | undefined): ClaimFacts {
    const kept = claim && byKey.get(objectKey(claim));
    return kept && kept.uid === claim.metadata.uid ? kept.facts : NOTHING_KNOWN;
  }

  return {
    facts: factsOf,
    set(claim, facts) {
      byKey.set(objectKey(claim), { uid: claim.metadata.uid, facts: { ...factsOf(claim), ...facts } });
    },
    forget(key) {
      byKey.delete(key);
    },
  };
}
