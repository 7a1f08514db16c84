import type { WorkQueue } from '@holdfast/control';
import type { Logger } from '@holdfast/core';
import type { ClaimJournal } from './claim-journal.ts';
import type { ClaimMemory } from './claim-memory.ts';
import type { VolumePlan } from './plan.ts';
import type { Stores } from './stores.ts';

/**
 * Goes on where the last holder of the lease was cut off: the very same CreateVolume is repeated for each claim it had
 * begun, there or not, unless its volume has come since.
 */
export function takeOver(deps: {
  journal: ClaimJournal;
  memory: ClaimMemory;
  stores: Pick<Stores, 'claims' | 'volumes'>;
  queue: WorkQueue;
  log: Logger;
}): void {
  const { journal, memory, stores, queue, log } = deps;
  const { plans, isCurrent } = journal.takeOver();

  function isSettled(plan: VolumePlan): boolean {
    const { uid } = plan.claim.metadata;
    const [claim] = stores.claims.byIndex('uid', uid);
    return claim?.spec?.volumeName !== undefined || stores.volumes.get(plan.volumeName)?.spec?.claimRef?.uid === uid;
  }

  for (const plan of plans) {
    const { uid, name, namespace } = plan.claim.metadata;
    const told = { claim: `${namespace}/${name}`, volume: plan.volumeName };
    if (isSettled(plan)) {
      journal.settle(uid);
    } else if (isCurrent) {
      log.info('Going on with the volume that the last holder of the lease was creating', told);
      memory.setProgress(uid, { kind: 'creating', plan });
      queue.add(uid);
    } else if (stores.claims.byIndex('uid', uid).length === 0) {
      // Who held the lease in between may have made it, given it away and had it deleted, or kept its data on purpose.
      log.warn(
        'A volume was being created when another program took the lease, and its claim is gone: if the driver has a volume of this name that no PersistentVolume names, delete it',
        told,
      );
    }
  }
}
