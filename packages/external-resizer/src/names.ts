/**
 * Every string that other components read or write beside us. They equal upstream's, so that either program can
 * take over the objects of the other.
 */

/** Leader election; the kit sanitises it. */
export function leaseName(driverName: string): string {
  return `external-resizer-${driverName.replaceAll('/', '-')}`;
}

/** Source of our events. */
export function eventComponent(driverName: string): string {
  return `external-resizer ${driverName}`;
}

/** Name of the work queue in the metrics. */
export function queueName(driverName: string): string {
  return `${driverName}-pvc`;
}

export const annotations = {
  /** On a claim, for kubelet: the last expansion was done without the node (kubernetes/kubernetes#131397). */
  nodeExpansionNotRequired: 'volume.kubernetes.io/node-expansion-not-required',
  /** On a volume, for kubelet: the claim's size before the expansion that the node has yet to finish. */
  preResizeCapacity: 'volume.alpha.kubernetes.io/pre-resize-capacity',
} as const;

/** PersistentVolumeClaimConditionType. */
export const conditions = {
  resizing: 'Resizing',
  fileSystemResizePending: 'FileSystemResizePending',
  controllerResizeError: 'ControllerResizeError',
  nodeResizeError: 'NodeResizeError',
} as const;

/** ClaimResourceStatus. */
export const resourceStatuses = {
  controllerInProgress: 'ControllerResizeInProgress',
  controllerInfeasible: 'ControllerResizeInfeasible',
  nodePending: 'NodeResizePending',
  nodeInProgress: 'NodeResizeInProgress',
  nodeInfeasible: 'NodeResizeInfeasible',
} as const;

export const reasons = {
  resizing: 'Resizing',
  resizeFailed: 'VolumeResizeFailed',
  resizeSuccessful: 'VolumeResizeSuccessful',
  fileSystemResizeRequired: 'FileSystemResizeRequired',
} as const;
