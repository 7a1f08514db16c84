import { sanitizeLeaseName } from '@holdfast/control';

/**
 * Every string that other components read or write beside us. They equal upstream's, so that either program can
 * take over the objects of the other.
 */

/** On each volume we must delete from the driver before its object may vanish. */
export const VOLUME_FINALIZER = 'external-provisioner.volume.kubernetes.io/finalizer';

/** On a claim while claims are cloned from it. */
export const CLONE_SOURCE_FINALIZER = 'provisioner.storage.kubernetes.io/cloning-protection';

/** On a VolumeSnapshot while volumes are made from it. */
export const SNAPSHOT_SOURCE_FINALIZER = 'provisioner.storage.kubernetes.io/volumesnapshot-as-source-protection';

/** The finalizer csi-attacher keeps on a volume that is, or may be, attached. */
export function attacherFinalizer(driverName: string): string {
  return `external-attacher/${sanitizeLeaseName(driverName)}`;
}

/** Of the lease; the kit sanitises it. */
export function leaseName(driverName: string, nodeName?: string): string {
  return nodeName === undefined ? driverName : `${driverName}-${nodeName}`;
}

/** Source of our events. Like upstream's it tells one run of the program from another. */
export function eventComponent(driverName: string, hostname: string, runId: string): string {
  return `${driverName}_${hostname}_${runId}`;
}

/** Names of the work queues in the metrics. */
export const queues = { claims: 'claims', volumes: 'volumes', cloneSources: 'clonesources' } as const;

export const annotations = {
  /** On a claim, by kube-controller-manager: who shall provision it. */
  storageProvisioner: 'volume.kubernetes.io/storage-provisioner',
  betaStorageProvisioner: 'volume.beta.kubernetes.io/storage-provisioner',
  betaStorageClass: 'volume.beta.kubernetes.io/storage-class',
  /** On a claim, by the scheduler: the node its first pod will run on. */
  selectedNode: 'volume.kubernetes.io/selected-node',
  alphaSelectedNode: 'volume.alpha.kubernetes.io/selected-node',
  migratedTo: 'pv.kubernetes.io/migrated-to',
  provisionedBy: 'pv.kubernetes.io/provisioned-by',
  /** On a volume: where DeleteVolume finds its secret. Empty values say that it needs none. */
  deletionSecretName: 'volume.kubernetes.io/provisioner-deletion-secret-name',
  deletionSecretNamespace: 'volume.kubernetes.io/provisioner-deletion-secret-namespace',
  /** On a volume, for csi-resizer. */
  modifySecretName: 'volume.kubernetes.io/controller-modify-secret-name',
  modifySecretNamespace: 'volume.kubernetes.io/controller-modify-secret-namespace',
  /** On a VolumeSnapshotContent: a file system may be made of a block volume's snapshot, and the other way round. */
  allowVolumeModeChange: 'snapshot.storage.kubernetes.io/allow-volume-mode-change',
} as const;

/** On our lease: the claims whose volumes the driver may have made and no PersistentVolume names. */
export const CREATING_NOTE = 'csi.holdfast/creating';

export const reasons = {
  provisioning: 'Provisioning',
  provisioningSucceeded: 'ProvisioningSucceeded',
  provisioningFailed: 'ProvisioningFailed',
  volumeFailedDelete: 'VolumeFailedDelete',
} as const;

/** Key in a volume's attributes that names the process that made it. */
export const IDENTITY_ATTRIBUTE = 'storage.kubernetes.io/csiProvisionerIdentity';

/** Reserved prefix of StorageClass parameters meant for us, not for the driver. */
export const RESERVED_PREFIX = 'csi.storage.k8s.io/';

/** Added to the driver's parameters by `--extra-create-metadata`. */
export const metadataParameters = {
  claimName: `${RESERVED_PREFIX}pvc/name`,
  claimNamespace: `${RESERVED_PREFIX}pvc/namespace`,
  volumeName: `${RESERVED_PREFIX}pv/name`,
} as const;

export const SNAPSHOT_GROUP = 'snapshot.storage.k8s.io';
