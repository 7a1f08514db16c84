import type { Store } from '@holdfast/control';
import {
  isConflict,
  type KubeClient,
  type Patch,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
} from '@holdfast/kube';

export interface ClaimWriter {
  /** One patch of the status; a conflict is thrown, as what was decided may no longer hold. */
  patchStatus(claim: PersistentVolumeClaim, patch: Patch, signal: AbortSignal): Promise<PersistentVolumeClaim>;
  /**
   * Records what has happened in the driver. That stays true when others have changed the claim meanwhile, so a
   * conflict only means to read and to build the patch again, as long as the claim is still about the same work.
   */
  recordStatus(claim: PersistentVolumeClaim, fact: StatusFact, signal: AbortSignal): Promise<PersistentVolumeClaim>;
}

export interface StatusFact {
  readonly build: (claim: PersistentVolumeClaim) => Patch;
  /** Whether two versions of the claim are about the same work. */
  readonly isSame: (a: PersistentVolumeClaim, b: PersistentVolumeClaim) => boolean;
}

const MAX_TRIES = 5;

export function createClaimWriter(deps: { client: KubeClient; claims: Store<PersistentVolumeClaim> }): ClaimWriter {
  const { client, claims } = deps;

  async function patchStatus(
    claim: PersistentVolumeClaim,
    patch: Patch,
    signal: AbortSignal,
  ): Promise<PersistentVolumeClaim> {
    const written = await client.patch(persistentVolumeClaims, claim.metadata, patch, {
      subresource: 'status',
      signal,
    });
    claims.applyWrite(written);
    return written;
  }

  return {
    patchStatus,
    async recordStatus(claim, { build, isSame }, signal) {
      let current = claim;
      for (let tries = 1; ; tries += 1) {
        try {
          return await patchStatus(current, build(current), signal);
        } catch (error) {
          if (!isConflict(error) || tries === MAX_TRIES) throw error;
          current = await client.get(persistentVolumeClaims, claim.metadata, { signal });
          if (current.metadata.uid !== claim.metadata.uid || !isSame(current, claim)) throw error;
        }
      }
    },
  };
}
