import type { ClaimMemory } from './decide.ts';

/** What this process remembers of claims, by uid: a claim made anew under an old name starts with nothing. */
export interface Memory {
  of(uid: string): ClaimMemory;
  set(uid: string, facts: Partial<ClaimMemory>): void;
  /** Called when a claim is deleted and when an expansion has succeeded. */
  forget(uid: string): void;
  readonly size: number;
}

const BLANK: ClaimMemory = { hasFinalError: false, isRefusedInUse: false, restUntilMs: Number.NEGATIVE_INFINITY };

export function createClaimMemory(): Memory {
  const byUid = new Map<string, ClaimMemory>();
  return {
    of: (uid) => byUid.get(uid) ?? BLANK,
    set: (uid, facts) => void byUid.set(uid, { ...(byUid.get(uid) ?? BLANK), ...facts }),
    forget: (uid) => void byUid.delete(uid),
    get size() {
      return byUid.size;
    },
  };
}
