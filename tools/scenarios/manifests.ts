import type { Draft, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '@holdfast/kube';

export interface ClassSpec {
  readonly name: string;
  readonly driverName: string;
  readonly binding: 'Immediate' | 'WaitForFirstConsumer';
  readonly reclaim?: 'Delete' | 'Retain';
  readonly fsType?: 'ext4' | 'xfs';
  readonly parameters?: Readonly<Record<string, string>>;
  /** Zones it may be provisioned in. */
  readonly zones?: readonly string[];
}

export const zoneKey = 'topology.csi.holdfast/zone';

export function storageClass(spec: ClassSpec): Draft<StorageClass> {
  const { name, driverName, binding, reclaim = 'Delete', fsType, zones } = spec;
  return {
    metadata: { name },
    provisioner: driverName,
    reclaimPolicy: reclaim,
    volumeBindingMode: binding,
    allowVolumeExpansion: true,
    parameters: { ...(fsType === undefined ? {} : { 'csi.storage.k8s.io/fstype': fsType }), ...spec.parameters },
    ...(zones === undefined
      ? {}
      : { allowedTopologies: [{ matchLabelExpressions: [{ key: zoneKey, values: [...zones] }] }] }),
  };
}

export type AccessMode = 'ReadWriteOnce' | 'ReadWriteOncePod';

export interface ClaimSpec {
  readonly name: string;
  /** Empty: no class, as for a volume made by hand. */
  readonly className: string;
  readonly sizeMi?: number;
  readonly mode?: 'Filesystem' | 'Block';
  readonly access?: AccessMode;
  readonly volumeName?: string;
  /** What it is to be filled from. */
  readonly source?: DataSource;
  /** A VolumeAttributesClass. */
  readonly attributes?: string;
}

export interface DataSource {
  readonly apiGroup?: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

export const defaultSizeMi = 64;

export function claim(namespace: string, spec: ClaimSpec): Draft<PersistentVolumeClaim> {
  const { name, className, sizeMi = defaultSizeMi, mode = 'Filesystem', access = 'ReadWriteOnce', volumeName } = spec;
  const { source, attributes } = spec;
  return {
    metadata: { name, namespace },
    spec: {
      storageClassName: className,
      accessModes: [access],
      volumeMode: mode,
      resources: { requests: { storage: `${sizeMi}Mi` } },
      ...(volumeName === undefined ? {} : { volumeName }),
      ...(source === undefined ? {} : { dataSourceRef: { ...source } }),
      ...(attributes === undefined ? {} : { volumeAttributesClassName: attributes }),
    },
  };
}

export interface PodSpec {
  readonly name: string;
  /** The claim at /data, or as /dev/data where it is a block volume. */
  readonly claim: string;
  readonly isBlock?: boolean;
  /** Where it must run. */
  readonly labels?: Readonly<Record<string, string>>;
  /** A shell script; the pod then runs until it is told to end. */
  readonly script?: string;
}

export const dataPath = '/data';
export const devicePath = '/dev/data';

export function pod(namespace: string, spec: PodSpec): Draft<Pod> {
  const { name, claim, isBlock = false, labels, script = '' } = spec;
  const waits = 'while true; do sleep 60 & wait $!; done';
  return {
    metadata: { name, namespace },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      ...(labels === undefined ? {} : { nodeSelector: { ...labels } }),
      containers: [
        {
          name: 'main',
          image: 'busybox',
          command: ['sh', '-c'],
          args: [`trap 'exit 0' TERM\nset -e\n${script}\n${waits}`],
          ...(isBlock
            ? { volumeDevices: [{ name: 'data', devicePath }] }
            : { volumeMounts: [{ name: 'data', mountPath: dataPath }] }),
        },
      ],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: claim } }],
    },
  };
}

export interface StaticVolumeSpec {
  readonly name: string;
  readonly driverName: string;
  readonly volumeHandle: string;
  readonly reclaim: 'Delete' | 'Retain';
  readonly zone: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly claim: { readonly namespace: string; readonly name: string };
}

export function staticVolume(spec: StaticVolumeSpec): Draft<PersistentVolume> {
  const { name, driverName, volumeHandle, reclaim, zone, annotations, claim } = spec;
  return {
    metadata: { name, annotations: { ...annotations } },
    spec: {
      capacity: { storage: `${defaultSizeMi}Mi` },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: reclaim,
      storageClassName: '',
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...claim },
      csi: { driver: driverName, volumeHandle, fsType: 'ext4' },
      nodeAffinity: {
        required: { nodeSelectorTerms: [{ matchExpressions: [{ key: zoneKey, operator: 'In', values: [zone] }] }] },
      },
    },
  };
}
