/** Annotations, finalizers and event reasons that kube-controller-manager and kube-scheduler use for storage. */
export const annotations = {
  bindCompleted: 'pv.kubernetes.io/bind-completed',
  boundByController: 'pv.kubernetes.io/bound-by-controller',
  storageProvisioner: 'volume.kubernetes.io/storage-provisioner',
  betaStorageProvisioner: 'volume.beta.kubernetes.io/storage-provisioner',
  betaStorageClass: 'volume.beta.kubernetes.io/storage-class',
  selectedNode: 'volume.kubernetes.io/selected-node',
  isDefaultClass: 'storageclass.kubernetes.io/is-default-class',
  provisionedBy: 'pv.kubernetes.io/provisioned-by',
  storageResizer: 'volume.kubernetes.io/storage-resizer',
} as const;

export const claimProtectionFinalizer = 'kubernetes.io/pvc-protection';
export const volumeProtectionFinalizer = 'kubernetes.io/pv-protection';

/** Where kubelets keep their leases. */
export const leaseNamespace = 'kube-node-lease';

/** The provisioner name of classes whose volumes an administrator makes by hand. */
export const noProvisioner = 'kubernetes.io/no-provisioner';

export const reasons = {
  waitForFirstConsumer: 'WaitForFirstConsumer',
  waitForPodScheduled: 'WaitForPodScheduled',
  externalProvisioning: 'ExternalProvisioning',
  provisioningFailed: 'ProvisioningFailed',
  failedBinding: 'FailedBinding',
  volumeMismatch: 'VolumeMismatch',
  claimLost: 'ClaimLost',
  claimMisbound: 'ClaimMisbound',
  externalExpanding: 'ExternalExpanding',
  failedAttachVolume: 'FailedAttachVolume',
  successfulAttachVolume: 'SuccessfulAttachVolume',
  failedScheduling: 'FailedScheduling',
  scheduled: 'Scheduled',
  nodeNotReady: 'NodeNotReady',
  taintManagerEviction: 'TaintManagerEviction',
} as const;

export const components = {
  volumeBinder: 'persistentvolume-controller',
  attachDetach: 'attachdetach-controller',
  expander: 'volume_expand',
  scheduler: 'default-scheduler',
  nodeLifecycle: 'node-controller',
  taintEviction: 'taint-eviction-controller',
  garbageCollector: 'garbage-collector-controller',
  podGc: 'pod-garbage-collector',
} as const;
