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

/** Name of the work queues in the metrics: expansions and modifications are added up. */
export function queueName(driverName: string): string {
  return `${driverName}-pvc`;
}

export const annotations = {
  /** On a claim, for kubelet: the last expansion was done without the node (kubernetes/kubernetes#131397). */
  nodeExpansionNotRequired: 'volume.kubernetes.io/node-expansion-not-required',
  /** On a claim, by kube-controller-manager: the driver that grows its volume of an in-tree plug-in. */
  storageResizer: 'volume.kubernetes.io/storage-resizer',
  /** On a volume, for kubelet: the claim's size before the expansion that the node has yet to finish. */
  preResizeCapacity: 'volume.alpha.kubernetes.io/pre-resize-capacity',
  /** On a volume, from the provisioner: the Secret for ControllerModifyVolume. */
  modifySecretName: 'volume.kubernetes.io/controller-modify-secret-name',
  modifySecretNamespace: 'volume.kubernetes.io/controller-modify-secret-namespace',
} as const;

/** PersistentVolumeClaimConditionType. */
export const conditions = {
  resizing: 'Resizing',
  fileSystemResizePending: 'FileSystemResizePending',
  controllerResizeError: 'ControllerResizeError',
  nodeResizeError: 'NodeResizeError',
  modifyingVolume: 'ModifyingVolume',
  modifyVolumeError: 'ModifyVolumeError',
} as const;

/** The conditions that are about an expansion. */
export const resizeConditions: readonly string[] = [
  conditions.resizing,
  conditions.fileSystemResizePending,
  conditions.controllerResizeError,
  conditions.nodeResizeError,
];

/** ClaimResourceStatus. */
export const resourceStatuses = {
  controllerInProgress: 'ControllerResizeInProgress',
  controllerInfeasible: 'ControllerResizeInfeasible',
  nodePending: 'NodeResizePending',
  nodeInProgress: 'NodeResizeInProgress',
  nodeInfeasible: 'NodeResizeInfeasible',
} as const;

/** PersistentVolumeClaimModifyVolumeStatus. */
export const modifyStatuses = {
  pending: 'Pending',
  inProgress: 'InProgress',
  infeasible: 'Infeasible',
} as const;

/** What ControllerModifyVolume is told beside the class's parameters, with `--extra-modify-metadata`. */
export const metadataParameters = {
  claimName: 'csi.storage.k8s.io/pvc/name',
  claimNamespace: 'csi.storage.k8s.io/pvc/namespace',
  volumeName: 'csi.storage.k8s.io/pv/name',
} as const;

export const reasons = {
  resizing: 'Resizing',
  resizeFailed: 'VolumeResizeFailed',
  resizeSuccessful: 'VolumeResizeSuccessful',
  fileSystemResizeRequired: 'FileSystemResizeRequired',
  modifying: 'VolumeModify',
  modifyFailed: 'VolumeModifyFailed',
  modifySuccessful: 'VolumeModifySuccessful',
  modifyCanceled: 'VolumeModifyCanceled',
} as const;
