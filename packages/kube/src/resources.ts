import type {
  CoreV1Event,
  V1CSIDriver,
  V1CSINode,
  V1CSIStorageCapacity,
  V1Lease,
  V1Namespace,
  V1Node,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1Secret,
  V1StorageClass,
  V1VolumeAttachment,
  V1VolumeAttributesClass,
} from '@kubernetes/client-node';
import type { ReferenceGrantModel, VolumeSnapshotContentModel, VolumeSnapshotModel } from './custom-models.ts';
import type { Json } from './json.ts';
import type { KubeObject, ObjectMeta } from './object.ts';

type Served<Model> = Json<Omit<Model, 'metadata'>> & { metadata: ObjectMeta };

export interface PersistentVolumeClaim extends Served<V1PersistentVolumeClaim> {}
export interface PersistentVolume extends Served<V1PersistentVolume> {}
export interface StorageClass extends Served<V1StorageClass> {}
export interface VolumeAttachment extends Served<V1VolumeAttachment> {}
export interface VolumeAttributesClass extends Served<V1VolumeAttributesClass> {}
export interface CSINode extends Served<V1CSINode> {}
export interface CSIStorageCapacity extends Served<V1CSIStorageCapacity> {}
export interface CSIDriver extends Served<V1CSIDriver> {}
export interface Node extends Served<V1Node> {}
export interface Pod extends Served<V1Pod> {}
export interface Secret extends Served<V1Secret> {}
export interface Event extends Served<CoreV1Event> {}
export interface Lease extends Served<V1Lease> {}
export interface VolumeSnapshot extends Served<VolumeSnapshotModel> {}
export interface VolumeSnapshotContent extends Served<VolumeSnapshotContentModel> {}
export interface ReferenceGrant extends Served<ReferenceGrantModel> {}
export interface Namespace extends Served<V1Namespace> {}

/** Where objects of one kind live in the API. `group` is empty for the core group. */
export interface Resource<T extends KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
  /** Never set: it ties the resource to the type of its objects. */
  readonly object?: T;
}

function resource<T extends KubeObject>(
  apiVersion: string,
  plural: string,
  kind: string,
  scope: 'cluster' | 'namespaced',
): Resource<T> {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  return { group, version, plural, kind, isNamespaced: scope === 'namespaced' };
}

export const persistentVolumeClaims = resource<PersistentVolumeClaim>(
  'v1',
  'persistentvolumeclaims',
  'PersistentVolumeClaim',
  'namespaced',
);
export const persistentVolumes = resource<PersistentVolume>('v1', 'persistentvolumes', 'PersistentVolume', 'cluster');
export const nodes = resource<Node>('v1', 'nodes', 'Node', 'cluster');
export const pods = resource<Pod>('v1', 'pods', 'Pod', 'namespaced');
export const secrets = resource<Secret>('v1', 'secrets', 'Secret', 'namespaced');
export const events = resource<Event>('v1', 'events', 'Event', 'namespaced');
export const namespaces = resource<Namespace>('v1', 'namespaces', 'Namespace', 'cluster');
export const leases = resource<Lease>('coordination.k8s.io/v1', 'leases', 'Lease', 'namespaced');
export const storageClasses = resource<StorageClass>('storage.k8s.io/v1', 'storageclasses', 'StorageClass', 'cluster');
export const volumeAttachments = resource<VolumeAttachment>(
  'storage.k8s.io/v1',
  'volumeattachments',
  'VolumeAttachment',
  'cluster',
);
export const volumeAttributesClasses = resource<VolumeAttributesClass>(
  'storage.k8s.io/v1',
  'volumeattributesclasses',
  'VolumeAttributesClass',
  'cluster',
);
export const csiNodes = resource<CSINode>('storage.k8s.io/v1', 'csinodes', 'CSINode', 'cluster');
export const csiStorageCapacities = resource<CSIStorageCapacity>(
  'storage.k8s.io/v1',
  'csistoragecapacities',
  'CSIStorageCapacity',
  'namespaced',
);
export const csiDrivers = resource<CSIDriver>('storage.k8s.io/v1', 'csidrivers', 'CSIDriver', 'cluster');
export const volumeSnapshots = resource<VolumeSnapshot>(
  'snapshot.storage.k8s.io/v1',
  'volumesnapshots',
  'VolumeSnapshot',
  'namespaced',
);
export const volumeSnapshotContents = resource<VolumeSnapshotContent>(
  'snapshot.storage.k8s.io/v1',
  'volumesnapshotcontents',
  'VolumeSnapshotContent',
  'cluster',
);
export const referenceGrants = resource<ReferenceGrant>(
  'gateway.networking.k8s.io/v1beta1',
  'referencegrants',
  'ReferenceGrant',
  'namespaced',
);

/** `v1` or `group/version`, as in an object's `apiVersion`. */
export function apiVersionOf(resource: Resource<KubeObject>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}
