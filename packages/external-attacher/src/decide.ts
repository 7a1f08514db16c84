import { AccessModeError } from '@holdfast/csi-spec';
import type { CSINode, PersistentVolume, VolumeAttachment } from '@holdfast/kube';
import { MIGRATED_TO_ANNOTATION, NODE_ID_ANNOTATION } from './names.ts';
import {
  isSingleNode,
  type PublishRequest,
  publishRequest,
  publishSecretRef,
  type SecretRef,
} from './publish-request.ts';
import type { DriverTraits } from './traits.ts';
import { volumeSource } from './volume-source.ts';

/** What is seen when a VolumeAttachment is looked at. */
export interface AttachmentView {
  readonly attachment: VolumeAttachment;
  readonly volume: PersistentVolume | undefined;
  readonly csiNode: CSINode | undefined;
  /** Every VolumeAttachment of the same volume, this one among them or not. */
  readonly siblings: readonly VolumeAttachment[];
  /** The driver's list and `status.attached` differ: act even if the status says that all is done. */
  readonly isForced: boolean;
}

/** What to do next with a VolumeAttachment, and why. */
export type AttachmentStep = { readonly reason: string } & (
  | { readonly kind: 'ignore' }
  | {
      readonly kind: 'attach';
      readonly attachment: VolumeAttachment;
      readonly volume?: PersistentVolume;
      readonly request: PublishRequest;
      readonly secretRef?: SecretRef;
    }
  | {
      readonly kind: 'detach';
      readonly attachment: VolumeAttachment;
      readonly volumeId: string;
      readonly nodeId: string;
      readonly secretRef?: SecretRef;
    }
  /** Nothing to call: the driver has no publish step. */
  | { readonly kind: 'markAttached' | 'markDetached' | 'release'; readonly attachment: VolumeAttachment }
  /** It cannot be done as things are; `reason` goes to the status. Tried again, and when what is missing appears. */
  | { readonly kind: 'refuse'; readonly operation: 'attach' | 'detach'; readonly attachment: VolumeAttachment }
);

export function decideAttachment(view: AttachmentView, traits: DriverTraits): AttachmentStep {
  const { attachment } = view;
  if (attachment.spec.attacher !== traits.driverName) {
    return ignore(`its attacher is "${attachment.spec.attacher}"`);
  }
  if (attachment.metadata.deletionTimestamp !== undefined) return decideDetach(view, traits);
  if (attachment.status?.attached && !view.isForced) return ignore('it is attached');
  if (!traits.canPublish) {
    return { kind: 'markAttached', attachment, reason: 'the driver has no ControllerPublishVolume' };
  }
  return decideAttach(view, traits);
}

function decideAttach(view: AttachmentView, traits: DriverTraits): AttachmentStep {
  const { attachment } = view;
  const refuse = (reason: string): AttachmentStep => ({ kind: 'refuse', operation: 'attach', attachment, reason });
  const source = volumeSource(attachment, view.volume, traits);
  if (source.kind === 'unusable') return refuse(source.message);
  const { volume } = source;
  if (volume?.metadata.deletionTimestamp !== undefined) {
    return refuse(`PersistentVolume "${volume.metadata.name}" is marked for deletion`);
  }
  const leaving = view.siblings.find((other) => holdsElsewhere(other, attachment, traits));
  if (leaving !== undefined && isSingleNode(source.spec)) {
    return refuse(
      `the volume is still being detached from node "${leaving.spec.nodeName}" (VolumeAttachment "${leaving.metadata.name}")`,
    );
  }
  const { nodeName } = attachment.spec;
  if (view.csiNode === undefined) {
    return refuse(`CSINode "${nodeName}" does not exist: does kubelet run on that node?`);
  }
  const nodeId = registeredNodeId(view.csiNode, traits);
  if (nodeId === undefined) {
    return refuse(
      `CSINode "${nodeName}" does not list driver "${traits.driverName}": does the driver's node plug-in run on that node, and is it registered with kubelet?`,
    );
  }
  const secretRef = publishSecretRef(source);
  try {
    return {
      kind: 'attach',
      attachment,
      request: publishRequest(source, nodeId, traits),
      reason: view.isForced ? 'the driver does not list it as published' : 'it is not attached yet',
      ...(volume === undefined ? {} : { volume }),
      ...(secretRef === undefined ? {} : { secretRef }),
    };
  } catch (error) {
    if (error instanceof AccessModeError) return refuse(error.message);
    throw error;
  }
}

function decideDetach(view: AttachmentView, traits: DriverTraits): AttachmentStep {
  const { attachment } = view;
  if (!hasFinalizer(attachment, traits)) {
    if (!attachment.status?.attached) return ignore('it is detached, and others still hold it');
    return { kind: 'markDetached', attachment, reason: 'it was released before its status was written' };
  }
  if (!traits.canPublish) {
    return { kind: 'release', attachment, reason: 'the driver has no ControllerUnpublishVolume any more' };
  }
  const refuse = (reason: string): AttachmentStep => ({ kind: 'refuse', operation: 'detach', attachment, reason });
  const byHand = `detach the volume by hand, then remove the finalizer "${traits.finalizer}" from this VolumeAttachment`;
  const source = volumeSource(attachment, view.volume, traits);
  if (source.kind === 'unusable')
    return refuse(`${source.message}, so the driver cannot be told what to detach: ${byHand}`);
  const nodeId =
    (view.csiNode && registeredNodeId(view.csiNode, traits)) ?? attachment.metadata.annotations?.[NODE_ID_ANNOTATION];
  if (!nodeId) {
    return refuse(
      `the driver's id of node "${attachment.spec.nodeName}" is unknown: its CSINode does not list driver "${traits.driverName}" and the annotation ${NODE_ID_ANNOTATION} is missing. Set the annotation, or ${byHand}`,
    );
  }
  const secretRef = publishSecretRef(source);
  return {
    kind: 'detach',
    attachment,
    volumeId: source.csi.volumeHandle,
    nodeId,
    reason: 'it is being deleted',
    ...(secretRef === undefined ? {} : { secretRef }),
  };
}

/** What to do with a volume that carries, or may carry, our finalizer. */
export type VolumeStep =
  | { readonly kind: 'ignore'; readonly reason: string }
  | { readonly kind: 'release'; readonly volume: PersistentVolume; readonly reason: string };

/** @param attachments every VolumeAttachment of the volume, of any driver and in any state */
export function decideVolume(
  volume: PersistentVolume,
  attachments: readonly VolumeAttachment[],
  traits: DriverTraits,
): VolumeStep {
  const { metadata, spec } = volume;
  if (!hasFinalizer(volume, traits)) return ignore('it does not have our finalizer');
  const isDeleted = metadata.deletionTimestamp !== undefined;
  const isRolledBack = spec?.csi === undefined && metadata.annotations?.[MIGRATED_TO_ANNOTATION] !== traits.driverName;
  if (!isDeleted && !isRolledBack) return ignore('it is in use');
  const [attachment] = attachments;
  if (attachment !== undefined) return ignore(`VolumeAttachment "${attachment.metadata.name}" refers to it`);
  return { kind: 'release', volume, reason: 'no VolumeAttachment refers to it' };
}

/** CSINode is the only source for an attach: what the annotation says may be of an earlier node of that name. */
export function registeredNodeId(csiNode: CSINode, traits: DriverTraits): string | undefined {
  return csiNode.spec.drivers?.find(({ name }) => name === traits.driverName)?.nodeID || undefined;
}

/** Another VolumeAttachment on another node that is going, but not yet unpublished. */
function holdsElsewhere(other: VolumeAttachment, than: VolumeAttachment, traits: DriverTraits): boolean {
  return (
    other.metadata.deletionTimestamp !== undefined &&
    other.spec.nodeName !== than.spec.nodeName &&
    hasFinalizer(other, traits)
  );
}

function hasFinalizer(object: VolumeAttachment | PersistentVolume, traits: DriverTraits): boolean {
  return object.metadata.finalizers?.includes(traits.finalizer) ?? false;
}

function ignore(reason: string): { kind: 'ignore'; reason: string } {
  return { kind: 'ignore', reason };
}
