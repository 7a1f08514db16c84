import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '@holdfast/kube';
import type { DriverTraits } from '../driver-traits.ts';
import { annotations } from '../names.ts';
import type { ProvisionRules } from '../plan.ts';
import type { ClusterTopology } from '../topology.ts';

/** Objects of a small cluster, as the API server would return them, for tests of decisions. */

export const driverName = 'disk.csi.example';

export const traits: DriverTraits = {
  driverName,
  canCreateVolumes: true,
  hasTopology: false,
  hasAttachments: true,
  hasSingleNodeMultiWriter: false,
  canRestoreSnapshots: true,
  canCloneVolumes: true,
  canModifyVolumes: true,
  attacherFinalizer: 'external-attacher/disk-csi-example',
};

export const rules: ProvisionRules = {
  naming: { prefix: 'pvc', uuidLength: -1 },
  defaultFsType: '',
  hasExtraCreateMetadata: false,
  isPublishReadonly: false,
  hasAttributesClasses: true,
  areOtherNamespacesAllowed: false,
  isModeConversionPrevented: true,
  topology: { isStrict: false, isImmediateTopology: true },
};

export const noTopology: ClusterTopology = {
  keysOf: () => undefined,
  labelsOf: () => undefined,
  anyKeys: () => [],
  termsFor: () => [],
};

function metadata(name: string) {
  return { name, uid: `uid-${name}`, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
}

export function claimOf(
  spec: PersistentVolumeClaim['spec'] = {},
  more: Partial<PersistentVolumeClaim['metadata']> = {},
): PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...metadata('data'),
      namespace: 'team-a',
      ...more,
      annotations: { [annotations.storageProvisioner]: driverName, ...more.annotations },
    },
    spec: {
      storageClassName: 'fast',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      ...spec,
    },
  };
}

export function classOf(more: Partial<StorageClass> = {}): StorageClass {
  return { metadata: metadata('fast'), provisioner: driverName, reclaimPolicy: 'Delete', ...more };
}

export function volumeOf(
  spec: PersistentVolume['spec'] = {},
  more: Partial<PersistentVolume['metadata']> = {},
  phase = 'Released',
): PersistentVolume {
  return {
    metadata: { ...metadata('pvc-uid-data'), annotations: { [annotations.provisionedBy]: driverName }, ...more },
    spec: {
      persistentVolumeReclaimPolicy: 'Delete',
      csi: { driver: driverName, volumeHandle: 'vol-1' },
      claimRef: { name: 'data', namespace: 'team-a', uid: 'uid-data' },
      ...spec,
    },
    status: { phase },
  };
}
