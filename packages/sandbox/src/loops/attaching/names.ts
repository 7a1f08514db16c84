import { createHash } from 'node:crypto';

/** The name kube-controller-manager gives a VolumeAttachment: the same three always meet under the same name. */
export function attachmentName(volumeHandle: string, driver: string, nodeName: string): string {
  return `csi-${createHash('sha256').update(`${volumeHandle}${driver}${nodeName}`).digest('hex')}`;
}

/** How a node's status names a CSI volume, in `volumesInUse` and `volumesAttached`. */
export function uniqueVolumeName(driver: string, volumeHandle: string): string {
  return `kubernetes.io/csi/${driver}^${volumeHandle}`;
}
