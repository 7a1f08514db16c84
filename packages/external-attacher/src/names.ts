import { sanitizeLeaseName } from '@holdfast/control';

/**
 * Every string that other components read or write beside us. They equal upstream's, so that either program can take over
 * the objects of the other.
 */

/** On each VolumeAttachment that must be unpublished, and each volume that has one, until that is done. */
export function finalizerOf(driverName: string): string {
  return `external-attacher/${sanitizeLeaseName(driverName)}`;
}

/** Leader election; the kit sanitises it. */
export function leaseName(driverName: string): string {
  return `external-attacher-leader-${driverName}`;
}

/** On a VolumeAttachment: the driver's id of the node, for detaching after the node is gone. */
export const NODE_ID_ANNOTATION = 'csi.alpha.kubernetes.io/node-id';

/** On an in-tree volume: the driver that serves it now. */
export const MIGRATED_TO_ANNOTATION = 'pv.kubernetes.io/migrated-to';

/** Names of the work queues in the metrics. */
export const queues = { attachments: 'csi-attacher-va', volumes: 'csi-attacher-pv' } as const;
