import type { Verdict } from '@holdfast/control';
import type { AttachmentStep } from './decide.ts';
import type { VolumeStep } from './decide-volume.ts';

/** What a decision about a VolumeAttachment means to whoever waits for it. */
export function explainAttachment(step: AttachmentStep): Verdict {
  switch (step.kind) {
    case 'ignore':
      return { standing: 'settled', text: 'the VolumeAttachment is as it should be, or of another attacher' };
    case 'leaveToOthers':
      return { standing: 'waiting', text: 'those whose finalizers hold the object; the volume is detached' };
    case 'refuse':
      return { standing: 'waiting', text: `what the ${step.operation} lacks; looked at again when that comes` };
    case 'attach':
      return {
        standing: 'due',
        text: `ControllerPublishVolume of ${step.request.volumeId} to node ${step.request.nodeId}`,
      };
    case 'detach':
      return { standing: 'due', text: `ControllerUnpublishVolume of ${step.volumeId} from node ${step.nodeId}` };
    case 'markAttached':
      return { standing: 'due', text: 'write that it is attached, for the driver has nothing to do' };
    case 'markDetached':
      return { standing: 'due', text: 'write that it is detached' };
    case 'release':
      return { standing: 'due', text: 'take the finalizer off, for the driver has nothing to do' };
    default:
      return step satisfies never;
  }
}

/** What a decision about a PersistentVolume means to whoever waits for its end. */
export function explainVolume(step: VolumeStep): Verdict {
  switch (step.kind) {
    case 'ignore':
      return { standing: 'settled', text: 'the volume is left as it is' };
    case 'wait':
      return { standing: 'waiting', text: 'the end of the last VolumeAttachment of the volume' };
    case 'release':
      return { standing: 'due', text: 'take the finalizer off the volume' };
    default:
      return step satisfies never;
  }
}
