export { type Credentials, type KubeConfig, KubeConfigError, type ProxyEnv, type TlsSettings } from './config.ts';
export { createKubeClient, type KubeClientDeps } from './create-client.ts';
export type { Json } from './json.ts';
export type {
  CallOptions,
  DeleteOptions,
  KubeClient,
  ListOptions,
  PatchOptions,
  RequestOptions,
  WatchOptions,
  WriteOptions,
} from './kube-client.ts';
export {
  isAlreadyExists,
  isConflict,
  isExpired,
  isForbidden,
  isInvalid,
  isNotFound,
  KubeError,
  type KubeErrorFields,
} from './kube-error.ts';
export { type LoadKubeConfigOptions, loadKubeConfig } from './load-config.ts';
export {
  type Draft,
  type KubeObject,
  type ObjectMeta,
  type ObjectRef,
  type OwnerReference,
  objectKey,
  splitKey,
} from './object.ts';
export {
  addFinalizerPatch,
  escapeJsonPointer,
  type JsonPatchOperation,
  type Patch,
  removeFinalizerPatch,
  sameObject,
  sameVersion,
} from './patches.ts';
export type { ListPage } from './reply.ts';
export { meetsRequirement, type Requirement } from './requirement.ts';
export {
  apiVersionOf,
  type CSIDriver,
  type CSINode,
  type CSIStorageCapacity,
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  type Event,
  events,
  type Lease,
  leases,
  type Namespace,
  type Node,
  namespaces,
  nodes,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  type ReferenceGrant,
  type Resource,
  referenceGrants,
  type Secret,
  type StorageClass,
  secrets,
  storageClasses,
  type VolumeAttachment,
  type VolumeAttributesClass,
  type VolumeSnapshot,
  type VolumeSnapshotContent,
  volumeAttachments,
  volumeAttributesClasses,
  volumeSnapshotContents,
  volumeSnapshots,
} from './resources.ts';
export { createTokenBucket, type TokenBucket } from './token-bucket.ts';
export type { WatchEvent } from './watch.ts';
