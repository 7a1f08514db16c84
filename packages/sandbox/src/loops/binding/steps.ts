import type { Store } from '@holdfast/control';
import {
  type KubeClient,
  type KubeObject,
  objectKey,
  type Patch,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  type Resource,
  splitKey,
} from '@holdfast/kube';
import { annotations } from '../names.ts';
import type { VolumePhase } from './decide-volume.ts';

interface WriteDeps {
  readonly client: KubeClient;
  readonly caches: { readonly claims: Store<PersistentVolumeClaim>; readonly volumes: Store<PersistentVolume> };
}

/**
 * Binds a claim and a volume: the volume's side first, so that no other claim can take it while the claim's side is written.
 * Each of the four writes is left out when it has been made, so the bond of an interrupted run is completed, not repeated.
 */
export async function bind(
  deps: WriteDeps,
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
  signal: AbortSignal,
): Promise<void> {
  let boundVolume = await reserveVolume(deps, claim, volume, signal);
  boundVolume = await setVolumePhase(deps, boundVolume, 'Bound', signal);
  const boundClaim = await nameVolume(deps, claim, boundVolume, signal);
  await reportBound(deps, boundClaim, boundVolume, signal);
}

export async function setVolumePhase(
  deps: WriteDeps,
  volume: PersistentVolume,
  phase: VolumePhase,
  signal: AbortSignal,
): Promise<PersistentVolume> {
  if (volume.status?.phase === phase) {
    return volume;
  }
  return write(deps.client, persistentVolumes, deps.caches.volumes, volume, { status: { phase } }, signal, 'status');
}

/** Takes a bond back; what a user wrote into `claimRef` stays, and only the uid, which a controller added, goes. */
export async function unbindVolume(
  deps: WriteDeps,
  volume: PersistentVolume,
  keepsReservation: boolean,
  signal: AbortSignal,
): Promise<void> {
  const body = keepsReservation
    ? { spec: { claimRef: { uid: null, resourceVersion: null } } }
    : { metadata: { annotations: { [annotations.boundByController]: null } }, spec: { claimRef: null } };
  await write(deps.client, persistentVolumes, deps.caches.volumes, volume, body, signal);
}

export async function setClaimPhase(
  deps: WriteDeps,
  claim: PersistentVolumeClaim,
  phase: 'Pending' | 'Lost',
  signal: AbortSignal,
): Promise<void> {
  if (claim.status?.phase !== phase) {
    const status = phase === 'Lost' ? { phase, accessModes: null, capacity: null } : { phase };
    await write(deps.client, persistentVolumeClaims, deps.caches.claims, claim, { status }, signal, 'status');
  }
}

export async function setClass(
  deps: WriteDeps,
  claim: PersistentVolumeClaim,
  className: string,
  signal: AbortSignal,
): Promise<void> {
  const body = { spec: { storageClassName: className } };
  await write(deps.client, persistentVolumeClaims, deps.caches.claims, claim, body, signal);
}

/** Names the provisioner on the claim, under the present and the older annotation, as external provisioners expect. */
export async function setProvisioner(
  deps: WriteDeps,
  claim: PersistentVolumeClaim,
  provisioner: string,
  signal: AbortSignal,
): Promise<void> {
  const present = claim.metadata.annotations ?? {};
  if (
    present[annotations.storageProvisioner] === provisioner &&
    present[annotations.betaStorageProvisioner] === provisioner
  ) {
    return;
  }
  const body = {
    metadata: {
      annotations: {
        [annotations.storageProvisioner]: provisioner,
        [annotations.betaStorageProvisioner]: provisioner,
      },
    },
  };
  await write(deps.client, persistentVolumeClaims, deps.caches.claims, claim, body, signal);
}

/** Names the driver that is to grow the claim's volume of an in-tree plug-in. */
export async function setResizer(
  deps: WriteDeps,
  claim: PersistentVolumeClaim,
  resizer: string,
  signal: AbortSignal,
): Promise<void> {
  if (claim.metadata.annotations?.[annotations.storageResizer] === resizer) return;
  const body = { metadata: { annotations: { [annotations.storageResizer]: resizer } } };
  await write(deps.client, persistentVolumeClaims, deps.caches.claims, claim, body, signal);
}

/** Reserves a volume for a claim; also what the scheduler does with a volume it has chosen for a delayed claim. */
export async function reserveVolume(
  deps: WriteDeps,
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
  signal: AbortSignal,
): Promise<PersistentVolume> {
  const ref = volume.spec?.claimRef;
  if (ref?.uid === claim.metadata.uid) {
    return volume;
  }
  const body = {
    metadata: ref === undefined ? { annotations: { [annotations.boundByController]: 'yes' } } : {},
    spec: {
      claimRef: {
        kind: 'PersistentVolumeClaim',
        apiVersion: 'v1',
        namespace: claim.metadata.namespace,
        name: claim.metadata.name,
        uid: claim.metadata.uid,
        resourceVersion: claim.metadata.resourceVersion,
      },
    },
  };
  return write(deps.client, persistentVolumes, deps.caches.volumes, volume, body, signal);
}

async function nameVolume(
  deps: WriteDeps,
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
  signal: AbortSignal,
): Promise<PersistentVolumeClaim> {
  const isNamed = claim.spec?.volumeName === volume.metadata.name;
  const present = claim.metadata.annotations ?? {};
  if (isNamed && present[annotations.bindCompleted] !== undefined) {
    return claim;
  }
  const body = {
    metadata: {
      annotations: {
        [annotations.bindCompleted]: 'yes',
        ...(isNamed ? {} : { [annotations.boundByController]: 'yes' }),
      },
    },
    spec: { volumeName: volume.metadata.name },
  };
  return write(deps.client, persistentVolumeClaims, deps.caches.claims, claim, body, signal);
}

async function reportBound(
  deps: WriteDeps,
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
  signal: AbortSignal,
): Promise<void> {
  if (claim.status?.phase === 'Bound') {
    // From here on the claim's capacity belongs to whoever expands it: the volume may already be larger than its file system.
    return;
  }
  const attributesClass = volume.spec?.volumeAttributesClassName;
  const status = {
    phase: 'Bound',
    accessModes: volume.spec?.accessModes ?? [],
    capacity: { storage: volume.spec?.capacity?.['storage'] },
    ...(attributesClass === undefined ? {} : { currentVolumeAttributesClassName: attributesClass }),
  };
  await write(deps.client, persistentVolumeClaims, deps.caches.claims, claim, { status }, signal, 'status');
}

/** A merge patch on exactly the version that was looked at; a conflict means that the decision was made on old news. */
async function write<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  store: Store<T>,
  object: T,
  body: { readonly metadata?: object; readonly spec?: object; readonly status?: object },
  signal: AbortSignal,
  subresource?: 'status',
): Promise<T> {
  const { uid, resourceVersion } = object.metadata;
  const patch: Patch = { kind: 'merge', body: { ...body, metadata: { ...body.metadata, uid, resourceVersion } } };
  const written = await client.patch(resource, splitKey(objectKey(object)), patch, {
    ...(subresource === undefined ? {} : { subresource }),
    signal,
  });
  store.applyWrite(written);
  return written;
}
