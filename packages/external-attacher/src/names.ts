import { sanitizeLeaseName } from '@holdfast/control';

/**
 * Every string that other components read or write beside us. Where upstream has one they equal it, so that either
 * program can take over the objects of the other.
 */

/** On each VolumeAttachment that must be unpublished, and each volume that has one, until that is done. */
export function attacherFinalizer(driverName: string): string {
  return `external-attacher/${sanitizeLeaseName(driverName)}`;
}

/** Leader election; the kit sanitises it. */
export function leaseName(driverName: string): string {
  return `external-attacher-leader-${driverName}`;
}

/** Names of the work queues in the metrics. */
export const queues = { attachments: 'csi-attacher-va', volumes: 'csi-attacher-pv' } as const;

export const annotations = {
  /** On a VolumeAttachment: the driver's id of the node, for detaching after the node is gone. */
  nodeId: 'csi.alpha.kubernetes.io/node-id',
  /**
   * On a VolumeAttachment, ours alone: the volume's handle, for detaching after its PersistentVolume is gone. Other
   * programs pass over it.
   */
  volumeHandle: 'attacher.csi.holdfast/volume-handle',
  /** Beside it: namespace/name of the secret that a detach needs. */
  publishSecret: 'attacher.csi.holdfast/publish-secret',
  /** On an in-tree volume: the driver that serves it now. */
  migratedTo: 'pv.kubernetes.io/migrated-to',
} as const;
