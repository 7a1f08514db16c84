import { objectKey, type PersistentVolumeClaim } from '@holdfast/kube';

/** What this process remembers of claims. A claim made anew under an old name starts with nothing. */
export interface ClaimMemory<Facts extends object> {
  facts(claim: PersistentVolumeClaim | undefined): Facts;
  set(claim: PersistentVolumeClaim, facts: Partial<Facts>): void;
  /** Called when a claim (`namespace/name`) is gone and when nothing of it is left to be done. */
  forget(key: string): void;
}

/** @param nothingKnown what holds for a claim of which nothing is remembered */
export function createClaimMemory<Facts extends object>(nothingKnown: Facts): ClaimMemory<Facts> {
  const byKey = new Map<string, { uid: string; facts: Facts }>();

  function factsOf(claim: PersistentVolumeClaim | undefined): Facts {
    const kept = claim && byKey.get(objectKey(claim));
    return kept && kept.uid === claim.metadata.uid ? kept.facts : nothingKnown;
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
