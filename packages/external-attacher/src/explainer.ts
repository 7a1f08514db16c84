import type { Explainer, Explanation, WorkQueue } from '@holdfast/control';
import type { PersistentVolume, VolumeAttachment } from '@holdfast/kube';
import { type AttachmentStep, hasFinalizer } from './decide.ts';
import type { VolumeStep } from './decide-volume.ts';
import type { DriverTraits } from './driver-traits.ts';
import { explainAttachment, explainVolume } from './explain.ts';
import { annotations } from './names.ts';
import type { Stores } from './stores.ts';

export interface ExplainerDeps {
  readonly stores: Pick<Stores, 'attachments' | 'volumes'>;
  readonly driver: DriverTraits;
  /** From what the caches hold. */
  readonly decideAttachment: (attachment: VolumeAttachment) => AttachmentStep;
  readonly decideVolume: (volume: PersistentVolume) => VolumeStep;
  readonly attachmentQueue: Pick<WorkQueue, 'report'>;
  readonly volumeQueue: Pick<WorkQueue, 'report'>;
}

/** Answers for VolumeAttachments, and for volumes that are held because of them. */
export function createExplainer(deps: ExplainerDeps): Explainer {
  const { driver } = deps;
  const { attachments, volumes } = deps.stores;

  function ofAttachment(attachment: VolumeAttachment): Explanation {
    const step = deps.decideAttachment(attachment);
    return {
      matter: attachment.metadata.deletionTimestamp === undefined ? 'attach' : 'detach',
      verdict: explainAttachment(step),
      reason: step.reason,
      key: deps.attachmentQueue.report(attachment.metadata.name),
      facts: attachmentFacts(attachment),
    };
  }

  function ofVolume(volume: PersistentVolume): Explanation {
    const step = deps.decideVolume(volume);
    return {
      matter: 'release',
      verdict: explainVolume(step),
      reason: step.reason,
      key: deps.volumeQueue.report(volume.metadata.name),
      facts: { 'to be deleted': since(volume), finalizers: volume.metadata.finalizers?.join(', ') },
    };
  }

  return {
    attachment: {
      kind: 'VolumeAttachment',
      isNamespaced: false,
      explain(name) {
        const attachment = attachments.get(name);
        return attachment ? [ofAttachment(attachment)] : [];
      },
      *candidates() {
        for (const { metadata, spec } of attachments.list()) {
          if (spec.attacher === driver.driverName) yield metadata.name;
        }
      },
    },
    volume: {
      kind: 'PersistentVolume',
      isNamespaced: false,
      explain(name) {
        const volume = volumes.get(name);
        return volume ? [ofVolume(volume)] : [];
      },
      *candidates() {
        for (const volume of volumes.list()) if (hasFinalizer(volume, driver)) yield volume.metadata.name;
      },
    },
  };
}

function attachmentFacts(attachment: VolumeAttachment): Explanation['facts'] {
  const { metadata, spec, status } = attachment;
  return {
    node: spec.nodeName,
    "node's id": metadata.annotations?.[annotations.nodeId],
    volume: spec.source.persistentVolumeName ?? 'an inline one',
    attacher: spec.attacher,
    attached: status?.attached ? 'yes' : 'no',
    'attach error': writtenError(status?.attachError),
    'detach error': writtenError(status?.detachError),
    'to be deleted': since(attachment),
    finalizers: metadata.finalizers?.join(', '),
  };
}

/** What is written on the object, perhaps by a process before this one. */
function writtenError(error: { message?: string; time?: string } | undefined): string | undefined {
  return error?.message && `${error.message} (written at ${error.time ?? 'an unknown time'})`;
}

function since({ metadata }: VolumeAttachment | PersistentVolume): string | undefined {
  return metadata.deletionTimestamp && `since ${metadata.deletionTimestamp}`;
}
