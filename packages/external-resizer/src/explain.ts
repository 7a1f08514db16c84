import type { Verdict } from '@holdfast/control';
import type { ClaimStep } from './decide.ts';
import type { ModifyStep } from './decide-modify.ts';

/** What a decision about a claim's size means to whoever waits for it. */
export function explainResize(step: ClaimStep): Verdict {
  switch (step.kind) {
    case 'ignore':
      return { standing: 'settled', text: 'there is nothing to expand' };
    case 'forget':
      return { standing: 'settled', text: 'nothing is left of the claim' };
    case 'awaitNode':
      return { standing: 'waiting', text: 'kubelet, which grows what is in the volume once a pod uses it' };
    case 'awaitRelease':
      return { standing: 'waiting', text: 'the end of every pod that uses the claim' };
    case 'refuse':
      return { standing: 'waiting', text: 'somebody who changes the claim or its volume' };
    case 'delay':
      return {
        standing: 'waiting',
        text: `another size, or the end of a pause of ${Math.ceil(step.afterMs / 1_000)} s`,
      };
    case 'clearPreResizeCapacity':
      return { standing: 'due', text: 'take the note of the former size off the volume' };
    case 'expand':
      return { standing: 'due', text: `ControllerExpandVolume to ${step.target.text}` };
    default:
      return step satisfies never;
  }
}

/** What a decision about the class of a claim means to whoever waits for it. */
export function explainModify(step: ModifyStep): Verdict {
  switch (step.kind) {
    case 'ignore':
      return { standing: 'settled', text: 'there is nothing to modify' };
    case 'forget':
      return { standing: 'settled', text: 'nothing is left of the claim' };
    case 'awaitClass':
      return { standing: 'waiting', text: `VolumeAttributesClass ${step.className} of this driver` };
    case 'delay':
      return {
        standing: 'waiting',
        text: `another class, or the end of a pause of ${Math.ceil(step.afterMs / 1_000)} s`,
      };
    case 'cancel':
      return { standing: 'due', text: 'write that the change is canceled' };
    case 'modify':
      return { standing: 'due', text: `ControllerModifyVolume to class ${step.attributesClass.metadata.name}` };
    default:
      return step satisfies never;
  }
}
