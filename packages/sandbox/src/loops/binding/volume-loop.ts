import type { Outcome } from '@holdfast/control';
import { isNotFound, type PersistentVolumeClaim, persistentVolumeClaims, splitKey } from '@holdfast/kube';
import { createLoop, type Loop, type LoopDeps, watchKeys, watchStore } from '../loop.ts';
import { decideVolume } from './decide-volume.ts';
import { setVolumePhase, unbindVolume } from './steps.ts';

const done: Outcome = { kind: 'done' };

/** Keeps the phase of volumes; releases those whose claim is gone (deleting them is the external provisioner's part). */
export function createVolumeLoop(deps: LoopDeps): Loop {
  const { caches, client } = deps;

  async function reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const volume = caches.volumes.get(key);
    if (volume === undefined) {
      return done;
    }
    const ref = volume.spec?.claimRef;
    const claimKey = ref === undefined ? undefined : `${ref.namespace ?? ''}/${ref.name ?? ''}`;
    let step = decideVolume(volume, claimKey === undefined ? undefined : caches.claims.get(claimKey));
    if (step.kind === 'setPhase' && step.phase === 'Released' && claimKey !== undefined) {
      // Releasing a volume may delete its data: a claim missing from the cache is asked for once more.
      step = decideVolume(volume, await readClaim(claimKey, signal));
    }
    switch (step.kind) {
      case 'none':
        return done;
      case 'setPhase':
        await setVolumePhase(deps, volume, step.phase, signal);
        return done;
      case 'unbind':
        await unbindVolume(deps, volume, step.keepsReservation, signal);
        return done;
      default:
        return step satisfies never;
    }
  }

  async function readClaim(key: string, signal: AbortSignal): Promise<PersistentVolumeClaim | undefined> {
    try {
      return await client.get(persistentVolumeClaims, splitKey(key), { signal });
    } catch (error) {
      if (isNotFound(error)) {
        return undefined;
      }
      throw error;
    }
  }

  return createLoop(deps, {
    name: 'volume-binding',
    workers: 1,
    reconcile,
    watch: (enqueue) => {
      watchKeys(caches.volumes, enqueue);
      watchStore(caches.claims, (claim) => {
        const key = `${claim.metadata.namespace ?? ''}/${claim.metadata.name}`;
        caches.volumes.byIndex('claim', key).forEach((volume) => enqueue(volume.metadata.name));
        if (claim.spec?.volumeName !== undefined) {
          enqueue(claim.spec.volumeName);
        }
      });
    },
  });
}
