import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
} from '@holdfast/kube';
import type { CrashRig } from '@holdfast/sandbox/testing';
import { ifFound } from './cluster.ts';

export const NAMESPACE = 'default';

/** What a user asks for, and may ask for anew. */
export interface Wish {
  readonly storage?: string;
  readonly className?: string;
}

let made = 0;

/** A claim of 1Gi with its volume, as provisioner and binding leave them. @returns its name, and that of its volume */
export async function addBoundClaim(
  { cluster: { client }, driver }: CrashRig,
  options: { name?: string; storageClassName?: string; reclaimPolicy?: string } = {},
): Promise<string> {
  made += 1;
  const { name = `data-${made}`, storageClassName = 'disk', reclaimPolicy = 'Retain' } = options;
  const storage = '1Gi';
  const accessModes: 'ReadWriteOnce'[] = ['ReadWriteOnce'];
  const { metadata } = await client.create(persistentVolumeClaims, {
    metadata: { name, namespace: NAMESPACE },
    spec: { storageClassName, volumeName: name, accessModes, resources: { requests: { storage } } },
  });
  await client.create(persistentVolumes, {
    metadata: { name, annotations: { 'pv.kubernetes.io/provisioned-by': driver.name } },
    spec: {
      storageClassName,
      accessModes,
      capacity: { storage },
      persistentVolumeReclaimPolicy: reclaimPolicy,
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace: NAMESPACE, uid: metadata.uid },
      csi: {
        driver: driver.name,
        volumeHandle: driver.addVolume(name),
        controllerExpandSecretRef: { name: 'expand', namespace: NAMESPACE },
      },
    },
  });
  // What admission has put on for kube-controller-manager, which does not run here.
  const letGo = { kind: 'merge', body: { metadata: { finalizers: null } } } as const;
  await client.patch(persistentVolumes, { name }, letGo);
  await client.patch(persistentVolumeClaims, { name, namespace: NAMESPACE }, letGo);
  const status = { phase: 'Bound', capacity: { storage }, accessModes };
  await client.patch(
    persistentVolumeClaims,
    { name, namespace: NAMESPACE },
    { kind: 'merge', body: { status } },
    { subresource: 'status' },
  );
  return name;
}

export async function wish({ cluster: { client } }: CrashRig, name: string, wanted: Wish): Promise<void> {
  const { storage, className } = wanted;
  const spec = {
    ...(storage === undefined ? {} : { resources: { requests: { storage } } }),
    ...(className === undefined ? {} : { volumeAttributesClassName: className }),
  };
  await client.patch(persistentVolumeClaims, { name, namespace: NAMESPACE }, { kind: 'merge', body: { spec } });
}

export async function claimOf(
  { cluster: { client } }: CrashRig,
  name: string,
): Promise<PersistentVolumeClaim | undefined> {
  return await ifFound(client.get(persistentVolumeClaims, { name, namespace: NAMESPACE }));
}

/** What kubelet does once a pod uses the volume: its file system grows, and the claim has the size of the volume. */
export async function growOnNode({ cluster: { client } }: CrashRig, claim: PersistentVolumeClaim): Promise<void> {
  const { name } = claim.metadata;
  const volume = await client.get(persistentVolumes, { name });
  const conditions = ['Resizing', 'FileSystemResizePending'].map((type) => ({ type, $patch: 'delete' }));
  await client.patch(
    persistentVolumeClaims,
    { name, namespace: NAMESPACE },
    {
      kind: 'strategic',
      body: { status: { capacity: volume.spec?.capacity, allocatedResourceStatuses: null, conditions } },
    },
    { subresource: 'status' },
  );
}

/** Claim, PersistentVolume and driver agree on what the claim asks for, and nothing is said to be under way. */
export function isSettled({ driver }: CrashRig, claim: PersistentVolumeClaim, volume: PersistentVolume): boolean {
  const behind = driver.volumes.get(volume.spec?.csi?.volumeHandle ?? '');
  if (behind === undefined || isUnderWay(claim)) return false;
  const { spec, status } = claim;
  const classes = [
    status?.currentVolumeAttributesClassName,
    volume.spec?.volumeAttributesClassName,
    behind.attributes['class'],
  ];
  if (classes.some((name = '') => name !== (spec?.volumeAttributesClassName ?? ''))) return false;
  const bytes = gibibytes(status?.capacity);
  return (
    bytes >= gibibytes(spec?.resources?.requests) &&
    bytes === gibibytes(volume.spec?.capacity) &&
    bytes === behind.capacityBytes
  );
}

function isUnderWay({ status }: PersistentVolumeClaim): boolean {
  const { modifyVolumeStatus, allocatedResourceStatuses = {}, conditions = [] } = status ?? {};
  return modifyVolumeStatus !== undefined || Object.keys(allocatedResourceStatuses).length + conditions.length > 0;
}

function gibibytes(resources: Readonly<Record<string, string>> | undefined): bigint {
  return BigInt((resources?.['storage'] ?? '').replace(/Gi$/, '')) * 1024n ** 3n;
}
