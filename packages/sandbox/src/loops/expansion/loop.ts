import { objectKey, type PersistentVolumeClaim } from '@holdfast/kube';
import { createLoop, type Loop, type LoopDeps } from '../loop.ts';
import { reasons } from '../names.ts';
import { isWaitingForResizer } from './decide.ts';

/**
 * Says on a grown claim who has to act. Growing a CSI volume is the resizer's and kubelet's work: upstream's expand
 * controller writes nothing else for such claims (the storage-resizer annotation is for migrated in-tree volumes alone).
 */
export function createExpansionLoop(deps: LoopDeps): Loop {
  const { caches } = deps;
  return createLoop(deps, {
    name: 'volume-expand',
    workers: 1,
    reconcile: async (key) => {
      const claim = caches.claims.get(key);
      const volume = claim?.spec?.volumeName === undefined ? undefined : caches.volumes.get(claim.spec.volumeName);
      if (claim !== undefined && isWaitingForResizer(claim, volume)) {
        const object = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', metadata: claim.metadata };
        const message = 'waiting for an external controller to expand this PVC';
        deps.recorder.event(object, 'Normal', reasons.externalExpanding, message);
      }
      return { kind: 'done' };
    },
    watch: (enqueue) => {
      caches.claims.subscribe((change) => {
        if (change.kind === 'added' || (change.kind === 'updated' && request(change.old) !== request(change.object))) {
          enqueue(objectKey(change.object));
        }
      });
    },
  });
}

function request(claim: PersistentVolumeClaim): string | undefined {
  return claim.spec?.resources?.requests?.['storage'];
}
