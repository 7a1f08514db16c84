import type { CSINode, PersistentVolume, VolumeAttachment } from '@holdfast/kube';
import type { DriverTraits } from '../driver-traits.ts';
import { attacherFinalizer } from '../names.ts';

export const DRIVER = 'disk.csi.example';
export const FINALIZER = attacherFinalizer(DRIVER);

export const traits: DriverTraits = {
  driverName: DRIVER,
  finalizer: FINALIZER,
  canPublish: true,
  canPublishReadonly: true,
  canListPublishedNodes: false,
  hasSingleNodeMultiWriter: false,
  defaultFsType: '',
};

type MetadataPart = Partial<VolumeAttachment['metadata']>;

const metadata = (name: string, part: MetadataPart = {}): VolumeAttachment['metadata'] => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
  ...part,
});

export const DELETED: MetadataPart = { deletionTimestamp: '2026-01-02T00:00:00Z' };

export function attachmentOf(
  parts: {
    name?: string;
    metadata?: MetadataPart;
    spec?: Partial<VolumeAttachment['spec']>;
    status?: VolumeAttachment['status'];
  } = {},
): VolumeAttachment {
  return {
    metadata: metadata(parts.name ?? 'va-1', parts.metadata),
    spec: { attacher: DRIVER, nodeName: 'node-1', source: { persistentVolumeName: 'pv-1' }, ...parts.spec },
    status: parts.status ?? { attached: false },
  };
}

type VolumeSpec = NonNullable<PersistentVolume['spec']>;

export function volumeOf(
  parts: {
    name?: string;
    metadata?: MetadataPart;
    spec?: VolumeSpec;
    csi?: Partial<NonNullable<VolumeSpec['csi']>>;
  } = {},
): PersistentVolume {
  return {
    metadata: metadata(parts.name ?? 'pv-1', parts.metadata),
    spec: {
      accessModes: ['ReadWriteOnce'],
      csi: { driver: DRIVER, volumeHandle: 'vol-1', ...parts.csi },
      ...parts.spec,
    },
  };
}

export function csiNodeOf(name = 'node-1', nodeId = 'id-of-node-1'): CSINode {
  return { metadata: metadata(name), spec: { drivers: [{ name: DRIVER, nodeID: nodeId }] } };
}
