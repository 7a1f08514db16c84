import { type Outcome, readLive, type Store } from '@holdfast/control';
import type { Logger } from '@holdfast/core';
import {
  isNotFound,
  type KubeClient,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  splitKey,
} from '@holdfast/kube';
import { changeFinalizer } from './change-finalizer.ts';
import { CLONE_SOURCE_FINALIZER } from './names.ts';
import { sourceKey } from './source-ref.ts';

/** Where a claim that others are cloned from stands. */
export type CloneSourceStep = { readonly reason: string } & (
  | { readonly kind: 'ignore' }
  /** Claims that are cloned from it wake us when they are done. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'release' }
);

export function decideCloneSource(
  claim: PersistentVolumeClaim | undefined,
  isInUse: (key: string) => boolean,
): CloneSourceStep {
  if (!claim) return { kind: 'ignore', reason: 'the claim is gone' };
  const { name, namespace = '', deletionTimestamp, finalizers } = claim.metadata;
  if (deletionTimestamp === undefined) return { kind: 'ignore', reason: 'the claim stays' };
  if (!finalizers?.includes(CLONE_SOURCE_FINALIZER)) return { kind: 'ignore', reason: 'nothing is cloned from it' };
  return isInUse(sourceKey({ kind: 'PersistentVolumeClaim', namespace, name }))
    ? { kind: 'wait', reason: 'claims are being cloned from it' }
    : { kind: 'release', reason: 'the last clone is made' };
}

/** Lets a deleted claim go once nothing is cloned from it any more. */
export function createCloneSources(deps: {
  client: KubeClient;
  claims: Store<PersistentVolumeClaim>;
  isInUse: (key: string) => boolean;
  log: Logger;
}): (key: string, signal: AbortSignal) => Promise<Outcome> {
  const { client, claims, isInUse, log } = deps;
  return async (key, signal) => {
    let step = decideCloneSource(claims.get(key), isInUse);
    const ref = splitKey(key);
    if (step.kind === 'release') {
      const live = await readLive({ client, resource: persistentVolumeClaims, store: claims }, ref, signal);
      step = decideCloneSource(live, isInUse);
      if (step.kind === 'release' && live) await release(live, signal);
    }
    log.debug(4, 'Next step of the source of clones', { claim: key, step: step.kind, reason: step.reason });
    // A clone whose claim is gone is known to this process alone, and no event tells of its end.
    return step.kind === 'wait' ? { kind: 'retry', error: new Error(step.reason) } : { kind: 'done' };
  };

  async function release(live: PersistentVolumeClaim, signal: AbortSignal): Promise<void> {
    try {
      const change = { finalizer: CLONE_SOURCE_FINALIZER, isWanted: false, signal };
      await changeFinalizer(client, persistentVolumeClaims, live, change);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
