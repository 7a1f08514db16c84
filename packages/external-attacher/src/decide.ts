import { AccessModeError } from '@holdfast/csi-spec';
import type { CSINode, PersistentVolume, VolumeAttachment } from '@holdfast/kube';
import { detachTarget } from './detach-target.ts';
import type { DriverTraits } from './driver-traits.ts';
import { annotations } from './names.ts';
import {
  isSingleNode,
  type PublishRequest,
  publishRequest,
  publishSecretRef,
  type SecretRef,
} from './publish-request.ts';
import { volumeSource } from './volume-source.ts';

/** All that a decision about a VolumeAttachment depends on. */
export interface AttachmentView {
  readonly attachment: VolumeAttachment;
  readonly volume: PersistentVolume | undefined;
  readonly csiNode: CSINode | undefined;
  /** Every VolumeAttachment of the same volume, this one among them or not. */
  readonly siblings: readonly VolumeAttachment[];
  /** The driver's list and `status.attached` differ: act even if the status says that all is done. */
  readonly isForced: boolean;
}

export type AttachmentStep = { readonly reason: string } & (
  | { readonly kind: 'ignore' }
  /** Our part of the detach is done. */
  | { readonly kind: 'leaveToOthers' }
  | {
      readonly kind: 'attach';
      readonly attachment: VolumeAttachment;
      readonly volume?: PersistentVolume;
      readonly request: PublishRequest;
      readonly secretRef?: SecretRef;
      readonly isMigrated: boolean;
    }
  | {
      readonly kind: 'detach';
      readonly attachment: VolumeAttachment;
      readonly volumeId: string;
      readonly nodeId: string;
      readonly secretRef?: SecretRef;
      readonly isMigrated: boolean;
    }
  /** The driver has no publish step: nothing to call. */
  | { readonly kind: 'markAttached'; readonly attachment: VolumeAttachment }
  /** Nothing to call any more: our finalizer goes, and the status says so where others still hold the object. */
  | { readonly kind: 'markDetached' | 'release'; readonly attachment: VolumeAttachment }
  /** It cannot be done as things are; `reason` goes to the status. Tried again, and when what is missing appears. */
  | { readonly kind: 'refuse'; readonly operation: 'attach' | 'detach'; readonly attachment: VolumeAttachment }
);

/** The next step for a VolumeAttachment. */
export function decideAttachment(view: AttachmentView, driver: DriverTraits): AttachmentStep {
  const { attachment } = view;
  if (attachment.spec.attacher !== driver.driverName) {
    return ignore(`its attacher is "${attachment.spec.attacher}"`);
  }
  if (attachment.metadata.deletionTimestamp !== undefined) return decideDetach(view, driver);
  if (attachment.status?.attached && !view.isForced) return ignore('it is attached');
  if (!driver.canPublish) {
    return { kind: 'markAttached', attachment, reason: 'the driver has no ControllerPublishVolume' };
  }
  return decideAttach(view, driver);
}

function decideAttach(view: AttachmentView, driver: DriverTraits): AttachmentStep {
  const { attachment } = view;
  const refuse = (reason: string): AttachmentStep => ({ kind: 'refuse', operation: 'attach', attachment, reason });
  const source = volumeSource(attachment, view.volume, driver);
  if (source.kind === 'unusable') return refuse(source.message);
  const { volume } = source;
  if (volume?.metadata.deletionTimestamp !== undefined) {
    return refuse(`PersistentVolume "${volume.metadata.name}" is marked for deletion`);
  }
  const leaving = view.siblings.find(
    (other) =>
      isLeaving(other, attachment, driver) &&
      // A detach from the same node would undo the attach.
      (isSingleNode(source.spec) || other.spec.nodeName === attachment.spec.nodeName),
  );
  if (leaving !== undefined) {
    return refuse(
      `the volume is still being detached from node "${leaving.spec.nodeName}" (VolumeAttachment "${leaving.metadata.name}")`,
    );
  }
  const { nodeName } = attachment.spec;
  if (view.csiNode === undefined) {
    return refuse(`CSINode "${nodeName}" does not exist: does kubelet run on that node?`);
  }
  const nodeId = registeredNodeId(view.csiNode, driver);
  if (nodeId === undefined) {
    return refuse(
      `CSINode "${nodeName}" does not list driver "${driver.driverName}": does the driver's node plug-in run on that node, and is it registered with kubelet?`,
    );
  }
  const secretRef = publishSecretRef(source);
  try {
    return {
      kind: 'attach',
      attachment,
      request: publishRequest(source, nodeId, driver),
      isMigrated: source.isMigrated,
      reason: view.isForced ? 'the driver does not list it as published' : 'it is not attached yet',
      ...(volume === undefined ? {} : { volume }),
      ...(secretRef === undefined ? {} : { secretRef }),
    };
  } catch (error) {
    if (error instanceof AccessModeError) return refuse(error.message);
    throw error;
  }
}

function decideDetach(view: AttachmentView, driver: DriverTraits): AttachmentStep {
  const { attachment } = view;
  if (!hasFinalizer(attachment, driver)) {
    if (!attachment.status?.attached) {
      return { kind: 'leaveToOthers', reason: 'it is detached, and others still hold it' };
    }
    return { kind: 'markDetached', attachment, reason: 'it was released before its status was written' };
  }
  if (!driver.canPublish) {
    return { kind: 'release', attachment, reason: 'the driver has no ControllerUnpublishVolume any more' };
  }
  const refuse = (reason: string): AttachmentStep => ({ kind: 'refuse', operation: 'detach', attachment, reason });
  const byHand = `detach the volume by hand, then remove the finalizer "${driver.finalizer}" from this VolumeAttachment`;
  const target = detachTarget(attachment, view.volume, driver);
  if (target.kind === 'unknown') {
    return refuse(
      `${target.message}, so the driver cannot be told what to detach. Set the annotation ${annotations.volumeHandle} to the driver's id of the volume, or ${byHand}`,
    );
  }
  const nodeId =
    (view.csiNode && registeredNodeId(view.csiNode, driver)) ?? attachment.metadata.annotations?.[annotations.nodeId];
  if (!nodeId) {
    return refuse(
      `the driver's id of node "${attachment.spec.nodeName}" is unknown: its CSINode does not list driver "${driver.driverName}" and the annotation ${annotations.nodeId} is missing. Set the annotation, or ${byHand}`,
    );
  }
  const { volumeId, secretRef, isMigrated } = target;
  return {
    kind: 'detach',
    attachment,
    volumeId,
    nodeId,
    isMigrated,
    reason: 'it is being deleted',
    ...(secretRef === undefined ? {} : { secretRef }),
  };
}

/** CSINode is the only source for an attach: what the annotation says may be of an earlier node of that name. */
export function registeredNodeId(csiNode: CSINode, driver: DriverTraits): string | undefined {
  return csiNode.spec.drivers?.find(({ name }) => name === driver.driverName)?.nodeID || undefined;
}

/** Another VolumeAttachment that is going, but not yet unpublished. */
function isLeaving(other: VolumeAttachment, than: VolumeAttachment, driver: DriverTraits): boolean {
  return (
    other.metadata.deletionTimestamp !== undefined &&
    other.metadata.name !== than.metadata.name &&
    hasFinalizer(other, driver)
  );
}

/** Whether the object still waits for us. */
export function hasFinalizer(object: VolumeAttachment | PersistentVolume, driver: DriverTraits): boolean {
  return object.metadata.finalizers?.includes(driver.finalizer) ?? false;
}

function ignore(reason: string): AttachmentStep {
  return { kind: 'ignore', reason };
}
