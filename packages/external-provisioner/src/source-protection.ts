import type { Store } from '@holdfast/control';
import { errorMessage, type Logger } from '@holdfast/core';
import {
  isForbidden,
  isNotFound,
  type KubeClient,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  volumeSnapshots,
} from '@holdfast/kube';
import { changeFinalizer } from './change-finalizer.ts';
import type { ClaimMemory } from './claim-memory.ts';
import { CLONE_SOURCE_FINALIZER, SNAPSHOT_SOURCE_FINALIZER } from './names.ts';
import type { PlanSource } from './plan.ts';
import { sourceKey } from './source-ref.ts';

/** Keeps a source where it is while volumes are made from it. */
export interface SourceProtection {
  /** Puts our finalizer on the source. @throws Error when the source is not what it was, so that nothing is made from it */
  protect(source: PlanSource, signal: AbortSignal): Promise<void>;
  /** Takes it off a snapshot that no claim needs any more. That of a claim stays until the claim is deleted, as upstream's. */
  release(source: PlanSource, claimUid: string, signal: AbortSignal): Promise<void>;
  /** Whether a claim, there or gone, is on its way to be filled from the source; one claim may be left out. */
  isInUse(key: string, exceptClaimUid?: string): boolean;
}

export function createSourceProtection(deps: {
  client: KubeClient;
  claims: Store<PersistentVolumeClaim>;
  memory: ClaimMemory;
  log: Logger;
}): SourceProtection {
  const { client, claims, memory, log } = deps;

  async function protectSnapshot(source: PlanSource, signal: AbortSignal): Promise<void> {
    const { name, namespace } = source;
    const live = await client.get(volumeSnapshots, { name, namespace }, { signal });
    requireSame(live.metadata, source);
    try {
      await changeFinalizer(client, volumeSnapshots, live, {
        finalizer: SNAPSHOT_SOURCE_FINALIZER,
        isWanted: true,
        signal,
      });
    } catch (error) {
      if (!isForbidden(error)) throw error;
      log.debug(2, 'Not allowed to patch or update volumesnapshots: the source is not protected', { name, namespace });
    }
  }

  async function protectClaim(source: PlanSource, signal: AbortSignal): Promise<void> {
    const { name, namespace } = source;
    const live = await client.get(persistentVolumeClaims, { name, namespace }, { signal });
    requireSame(live.metadata, source);
    await changeFinalizer(client, persistentVolumeClaims, live, {
      finalizer: CLONE_SOURCE_FINALIZER,
      isWanted: true,
      signal,
    });
  }

  function isInUse(key: string, exceptClaimUid?: string): boolean {
    const waiting = claims.byIndex('source', key).some(({ metadata }) => metadata.uid !== exceptClaimUid);
    return waiting || memory.usersOf(key).some((uid) => uid !== exceptClaimUid);
  }

  return {
    async protect(source, signal) {
      if (source.isProtected) return;
      if (source.kind === 'VolumeSnapshot') await protectSnapshot(source, signal);
      else await protectClaim(source, signal);
    },
    isInUse,
    async release(source, claimUid, signal) {
      if (source.kind !== 'VolumeSnapshot' || isInUse(sourceKey(source), claimUid)) return;
      const { name, namespace } = source;
      try {
        const live = await client.get(volumeSnapshots, { name, namespace }, { signal });
        const change = { finalizer: SNAPSHOT_SOURCE_FINALIZER, isWanted: false, signal };
        await changeFinalizer(client, volumeSnapshots, live, change);
      } catch (error) {
        signal.throwIfAborted();
        if (isNotFound(error)) return;
        // The sweep comes by later.
        log.debug(2, 'Cannot release the snapshot yet', { name, namespace, error: errorMessage(error) });
      }
    },
  };
}

function requireSame(
  { uid, deletionTimestamp }: { uid: string; deletionTimestamp?: string },
  source: PlanSource,
): void {
  const name = `${source.kind} ${source.namespace}/${source.name}`;
  if (uid !== source.uid) throw new Error(`the source, ${name}, has been made anew since it was looked at`);
  if (deletionTimestamp !== undefined) throw new Error(`the source, ${name}, is being deleted`);
}
