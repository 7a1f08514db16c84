import type { Verdict } from '@holdfast/control';
import type { ClaimStep } from './decide.ts';
import type { VolumeStep } from './decide-volume.ts';

/** What a decision about a claim means to whoever waits for the volume. */
export function explainClaim(step: ClaimStep): Verdict {
  switch (step.kind) {
    case 'ignore':
      return { standing: 'settled', text: 'the claim is not for this program as it stands' };
    case 'forget':
      return { standing: 'settled', text: 'there is no volume to be made' };
    case 'await':
      return step.awaited === 'scheduler'
        ? { standing: 'waiting', text: 'the scheduler, which chooses a node once a pod uses the claim' }
        : { standing: 'waiting', text: 'kube-controller-manager, which binds the claim to its PersistentVolume' };
    case 'leaveToPopulator':
      return { standing: 'waiting', text: 'the volume populator of the data source, which makes the volume' };
    case 'refuse':
      return {
        standing: 'waiting',
        text: 'somebody who changes the claim, its StorageClass or what stands in the way',
      };
    case 'retry':
      return { standing: 'waiting', text: 'what is missing; looked at again with back-off' };
    case 'delay':
      return { standing: 'waiting', text: `the end of a pause of ${Math.ceil(step.afterMs / 1_000)} s` };
    case 'reschedule':
      return { standing: 'due', text: `ask the scheduler for another node than ${step.node}` };
    case 'queueUp':
    case 'contend':
      return { standing: 'due', text: 'take the claim for this node, if no other was faster' };
    case 'lookUp':
      return {
        standing: 'due',
        text: `look up ${step.source.kind} ${step.source.namespace}/${step.source.name}, which the volume is filled from, and create the volume`,
      };
    case 'confirm':
      return { standing: 'due', text: 'ask the API server whether the claim is still without a volume' };
    case 'create':
      return { standing: 'due', text: `CreateVolume of ${step.plan.volumeName} by the driver` };
    case 'save':
      return { standing: 'due', text: `store PersistentVolume ${step.plan.volumeName}` };
    case 'discard':
      return { standing: 'due', text: `DeleteVolume of ${step.volumeId}, which cannot be used: ${step.why}` };
    default:
      return step satisfies never;
  }
}

/** What a decision about a PersistentVolume means to whoever waits for its end. */
export function explainVolume(step: VolumeStep): Verdict {
  switch (step.kind) {
    case 'ignore':
      return { standing: 'settled', text: 'the volume is left as it is' };
    case 'forget':
      return { standing: 'settled', text: 'nothing is left of the volume' };
    case 'wait':
      return step.awaited === 'claim'
        ? { standing: 'waiting', text: 'the deletion of the claim, which the volume is bound to' }
        : { standing: 'waiting', text: 'the end of every VolumeAttachment of the volume' };
    case 'leaveToOthers':
      return { standing: 'waiting', text: 'those whose finalizers hold the object; the driver has deleted the volume' };
    case 'protect':
      return { standing: 'due', text: 'put the finalizer of the deletion on the volume' };
    case 'unprotect':
      return { standing: 'due', text: 'take the finalizer of the deletion off the volume' };
    case 'delete':
      return { standing: 'due', text: `DeleteVolume of ${step.volumeId} by the driver` };
    case 'refuse':
      return {
        standing: 'waiting',
        text: 'somebody who changes the volume, so that the driver can be told which it is',
      };
    case 'removeObject':
      return { standing: 'due', text: 'delete the PersistentVolume' };
    default:
      return step satisfies never;
  }
}
