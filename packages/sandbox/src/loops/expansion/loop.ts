import { objectKey, type PersistentVolumeClaim } from '@holdfast/kube';
import { pluginOfSpec } from '@holdfast/migration';
import { setResizer } from '../binding/steps.ts';
import { createLoop, type Loop, type LoopDeps } from '../loop.ts';
import { reasons } from '../names.ts';
import { isWaitingForResizer } from './decide.ts';

/**
 * Says on a grown claim who has to act. Growing a volume is the resizer's and kubelet's work: for a CSI volume upstream's expand
 * controller writes nothing else, for one of an in-tree plug-in it names the driver on the claim.
 */
export function createExpansionLoop(deps: LoopDeps): Loop {
  const { caches } = deps;
  return createLoop(deps, {
    name: 'volume-expand',
    workers: 1,
    reconcile: async (key, signal) => {
      const claim = caches.claims.get(key);
      const volume = claim?.spec?.volumeName === undefined ? undefined : caches.volumes.get(claim.spec.volumeName);
      if (claim !== undefined && isWaitingForResizer(claim, volume)) {
        const object = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', metadata: claim.metadata };
        const plugin = pluginOfSpec(volume?.spec);
        const message =
          plugin === undefined
            ? 'waiting for an external controller to expand this PVC'
            : `CSI migration enabled for ${plugin.inTreeName}; waiting for external resizer to expand the pvc`;
        deps.recorder.event(object, 'Normal', reasons.externalExpanding, message);
        if (plugin !== undefined) await setResizer(deps, claim, plugin.driverName, signal);
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
