import type { Node, PersistentVolume, Pod, VolumeAttachment } from '@holdfast/kube';
import { isOutOfService, isReady } from '../node-health.ts';
import { attachmentName, uniqueVolumeName } from './names.ts';

/** A volume that pods on the node use and that must be attached first. */
export interface WantedVolume {
  readonly volume: PersistentVolume;
  readonly driver: string;
  readonly handle: string;
  readonly pods: readonly Pod[];
  /** The attachments of this volume to any node, this one included. */
  readonly attachments: readonly VolumeAttachment[];
  /** Pods elsewhere that use the volume, for the message. */
  readonly podsElsewhere: readonly Pod[];
}

export interface PresentAttachment {
  readonly attachment: VolumeAttachment;
  /** As the node's status names it; undefined when the volume is not known any more. */
  readonly uniqueName: string | undefined;
  /** For how long nobody has wanted it. */
  readonly unwantedMs: number;
}

export interface NodeView {
  readonly nodeName: string;
  /** Undefined when the node is gone. */
  readonly node: Node | undefined;
  /** What kubelet last said it has mounted; undefined when that is not known. */
  readonly volumesInUse: readonly string[] | undefined;
  readonly wanted: readonly WantedVolume[];
  /** The attachments to this node that the loop answers for. */
  readonly present: readonly PresentAttachment[];
  readonly maxWaitForUnmountMs: number;
}

export interface AttachedVolume {
  readonly name: string;
  readonly devicePath: string;
}

export interface NodePlan {
  readonly attach: readonly WantedVolume[];
  readonly detach: readonly VolumeAttachment[];
  /** Volumes that are bound to one node and attached to another. */
  readonly blocked: readonly { readonly wanted: WantedVolume; readonly message: string }[];
  /** What `node.status.volumesAttached` has to say, to be written before anything is detached. */
  readonly volumesAttached: readonly AttachedVolume[];
  /** When a volume that is still mounted is taken away all the same. */
  readonly recheckAfterMs: number | undefined;
}

export function decideNode(view: NodeView): NodePlan {
  const wantedNames = new Set(view.wanted.map(({ handle, driver }) => attachmentName(handle, driver, view.nodeName)));
  const presentNames = new Set(view.present.map(({ attachment }) => attachment.metadata.name));

  const missing = view.wanted.filter(
    ({ handle, driver }) => !presentNames.has(attachmentName(handle, driver, view.nodeName)),
  );
  const blocked = missing.flatMap((wanted) => {
    const message = multiAttachMessage(wanted, view.nodeName);
    return message === undefined ? [] : [{ wanted, message }];
  });
  const isBlocked = new Set(blocked.map(({ wanted }) => wanted));

  const unwanted = view.present.filter(({ attachment }) => !wantedNames.has(attachment.metadata.name));
  const held = unwanted.filter((one) => isMounted(view, one));
  const forced = held.filter(({ unwantedMs }) => mayForce(view, unwantedMs));
  const detach = unwanted.filter((one) => !held.includes(one) || forced.includes(one));
  const waitsMs = isReady(view.node)
    ? []
    : held.filter((one) => !forced.includes(one)).map(({ unwantedMs }) => view.maxWaitForUnmountMs - unwantedMs);
  const leaving = new Set(detach.map(({ attachment }) => attachment.metadata.name));

  return {
    attach: missing.filter((wanted) => !isBlocked.has(wanted)),
    detach: detach.map(({ attachment }) => attachment).filter(isStaying),
    blocked,
    volumesAttached: view.present
      .filter(({ attachment }) => isStaying(attachment) && !leaving.has(attachment.metadata.name))
      .filter(({ attachment }) => attachment.status?.attached === true)
      .flatMap(({ uniqueName }) => (uniqueName === undefined ? [] : [{ name: uniqueName, devicePath: '' }]))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    recheckAfterMs: waitsMs.length === 0 ? undefined : Math.min(...waitsMs),
  };
}

/** Kubelet lists a volume until it is unmounted. A node that went without a word is taken to have all of its own mounted. */
function isMounted({ volumesInUse }: NodeView, { uniqueName }: PresentAttachment): boolean {
  return uniqueName !== undefined && (volumesInUse === undefined || volumesInUse.includes(uniqueName));
}

/** At once where an administrator says that the node is off; else only from a node that is not ready, or gone, and had its time. */
function mayForce({ node, maxWaitForUnmountMs }: NodeView, unwantedMs: number): boolean {
  return isOutOfService(node) || (!isReady(node) && unwantedMs >= maxWaitForUnmountMs);
}

/** Whether the volume may be attached to several nodes at a time, by its access modes. */
export function isShareable(volume: PersistentVolume): boolean {
  const modes = volume.spec?.accessModes ?? [];
  return modes.includes('ReadWriteMany') || modes.includes('ReadOnlyMany');
}

export function uniqueNameOfVolume(volume: PersistentVolume | undefined): string | undefined {
  const csi = volume?.spec?.csi;
  return csi === undefined ? undefined : uniqueVolumeName(csi.driver, csi.volumeHandle);
}

function multiAttachMessage(wanted: WantedVolume, nodeName: string): string | undefined {
  const elsewhere = wanted.attachments.filter((attachment) => attachment.spec.nodeName !== nodeName);
  if (elsewhere.length === 0 || isShareable(wanted.volume)) {
    return undefined;
  }
  const start = `Multi-Attach error for volume "${wanted.volume.metadata.name}"`;
  const users = wanted.podsElsewhere.map((pod) => pod.metadata.name);
  if (users.length > 0) {
    return `${start} Volume is already used by pod(s) ${users.join(', ')}`;
  }
  const places = elsewhere.map((attachment) => attachment.spec.nodeName).join(', ');
  return `${start} Volume is already exclusively attached to one node (${places}) and can't be attached to another`;
}

function isStaying(attachment: VolumeAttachment): boolean {
  return attachment.metadata.deletionTimestamp === undefined;
}
