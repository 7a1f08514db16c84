import type { Outcome, Store } from '@holdfast/control';
import {
  addFinalizerPatch,
  isNotFound,
  type KubeObject,
  objectKey,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  type Resource,
  removeFinalizerPatch,
  splitKey,
} from '@holdfast/kube';
import { createLoop, type Loop, type LoopDeps, watchKeys, watchStore } from '../loop.ts';
import { claimProtectionFinalizer, volumeProtectionFinalizer } from '../names.ts';
import { claimKeysOfPod } from '../pod-claims.ts';
import { decideClaimProtection, decideVolumeProtection, type ProtectionStep } from './decide.ts';

const done: Outcome = { kind: 'done' };

/** Holds a claim while a pod on some node names it. */
export function createClaimProtectionLoop(deps: LoopDeps): Loop {
  const { caches, client } = deps;

  async function reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const claim = caches.claims.get(key);
    if (claim === undefined) {
      return done;
    }
    const step = decideClaimProtection(claim, caches.pods.byIndex('claim', key));
    if (step === 'release') {
      // A pod may have been scheduled that the cache has not seen yet; letting the claim go under it would lose its data.
      const live = await client.list(pods, { namespace: claim.metadata.namespace ?? '', signal });
      const users = live.items.filter((pod) => claimKeysOfPod(pod).includes(key));
      if (decideClaimProtection(claim, users) !== 'release') {
        return done;
      }
    }
    await carryOut(deps, persistentVolumeClaims, caches.claims, claim, claimProtectionFinalizer, step, signal);
    return done;
  }

  return createLoop(deps, {
    name: 'pvc-protection',
    workers: 2,
    reconcile,
    watch: (enqueue) => {
      watchKeys(caches.claims, enqueue);
      watchStore(caches.pods, (pod) => claimKeysOfPod(pod).forEach(enqueue));
    },
  });
}

/** Holds a volume while it is bound. */
export function createVolumeProtectionLoop(deps: LoopDeps): Loop {
  const { caches } = deps;

  async function reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const volume = caches.volumes.get(key);
    if (volume !== undefined) {
      const step = decideVolumeProtection(volume);
      await carryOut(deps, persistentVolumes, caches.volumes, volume, volumeProtectionFinalizer, step, signal);
    }
    return done;
  }

  return createLoop(deps, {
    name: 'pv-protection',
    workers: 2,
    reconcile,
    watch: (enqueue) => watchKeys(caches.volumes, enqueue),
  });
}

async function carryOut<T extends KubeObject>(
  { client }: LoopDeps,
  resource: Resource<T>,
  store: Store<T>,
  object: T,
  finalizer: string,
  step: ProtectionStep,
  signal: AbortSignal,
): Promise<void> {
  if (step === 'none') {
    return;
  }
  const patch = step === 'protect' ? addFinalizerPatch(object, finalizer) : removeFinalizerPatch(object, finalizer);
  if (patch === undefined) {
    return;
  }
  try {
    const written = await client.patch(resource, splitKey(objectKey(object)), patch, { signal });
    // Once the last finalizer of a deleted object is gone, so is the object.
    if (step === 'protect') {
      store.applyWrite(written);
    }
  } catch (error) {
    if (!isNotFound(error)) {
      throw error;
    }
  }
}
