// A cluster that has been used: many bound claims, half of them attached. Written by hand, as the loops would have left it, because
// the loops would take an hour.

import { parseQuantity, quantityToBytes } from '@holdfast/core';
import { ControllerService, VolumeCapability, VolumeCapability_AccessMode_Mode } from '@holdfast/csi-spec';
import {
  type Draft,
  type KubeClient,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  volumeAttachments,
} from '@holdfast/kube';
import type { Driver } from './driver.ts';
import { inParallel } from './in-parallel.ts';
import { attachmentDraft, attachmentName, claimDraft, className, namespace } from './objects.ts';

export interface FullClusterDeps {
  readonly client: KubeClient;
  readonly driver: Driver;
  readonly parameters: Readonly<Record<string, string>>;
  readonly size: string;
  readonly claims: number;
  /** So many of them. */
  readonly attached: number;
  /** Volumes that the driver has too, beside those attached: for work that is asked for later. */
  readonly spare: number;
  readonly signal: AbortSignal;
}

export interface FullCluster {
  /** Names of claims whose volumes the driver has, and that are not attached. */
  readonly spareClaims: readonly string[];
  readonly volumeNames: readonly string[];
}

const requestsAtOnce = 32;
const callTimeoutMs = 60_000;

export async function fillCluster(deps: FullClusterDeps): Promise<FullCluster> {
  const { client, claims, attached, spare, driver } = deps;
  const names = Array.from({ length: claims }, (_, index) => `full-${index}`);
  await inParallel(names, requestsAtOnce, async (name, index) => {
    const isReal = index < attached + spare;
    const handle = isReal ? await createVolume(name, deps) : `unmade-${name}`;
    const publishContext = index < attached ? await publish(handle, deps) : {};
    const volumeName = `pvc-${name}`;
    await createBound(client, { name, volumeName, handle, driver, size: deps.size, isAttached: index < attached });
    if (index < attached) await createAttached(client, { volumeName, driver, publishContext });
  });
  return {
    spareClaims: names.slice(attached, attached + spare),
    volumeNames: names.map((name) => `pvc-${name}`),
  };
}

const capability = VolumeCapability.fromPartial({
  accessType: { $case: 'mount', value: {} },
  accessMode: { mode: VolumeCapability_AccessMode_Mode.SINGLE_NODE_WRITER },
});

async function createVolume(name: string, { driver, size, parameters, signal }: FullClusterDeps): Promise<string> {
  const segments = { ...driver.topology };
  const hasTopology = Object.keys(segments).length > 0;
  const { volume } = await driver.connection.client(ControllerService).createVolume(
    {
      name,
      capacityRange: { requiredBytes: quantityToBytes(parseQuantity(size)), limitBytes: 0n },
      volumeCapabilities: [capability],
      parameters: { ...parameters },
      secrets: {},
      volumeContentSource: undefined,
      accessibilityRequirements: hasTopology ? { requisite: [{ segments }], preferred: [{ segments }] } : undefined,
      mutableParameters: {},
    },
    { timeoutMs: callTimeoutMs, signal },
  );
  if (volume === undefined) throw new Error(`the driver answered CreateVolume of ${name} without a volume`);
  return volume.volumeId;
}

async function publish(volumeId: string, { driver, signal }: FullClusterDeps): Promise<Record<string, string>> {
  const { publishContext } = await driver.connection.client(ControllerService).controllerPublishVolume(
    {
      volumeId,
      nodeId: driver.nodeId,
      volumeCapability: capability,
      readonly: false,
      secrets: {},
      volumeContext: {},
    },
    { timeoutMs: callTimeoutMs, signal },
  );
  return publishContext;
}

interface BoundPair {
  readonly name: string;
  readonly volumeName: string;
  readonly handle: string;
  readonly driver: Driver;
  readonly size: string;
  readonly isAttached: boolean;
}

async function createBound(client: KubeClient, pair: BoundPair): Promise<void> {
  const { name, volumeName, size, driver } = pair;
  const draft = claimDraft(name, { size });
  const claim: Draft<PersistentVolumeClaim> = {
    ...draft,
    metadata: { ...draft.metadata, annotations: claimAnnotations(driver.name) },
    spec: { ...draft.spec, volumeName },
  };
  const { metadata } = await client.create(persistentVolumeClaims, claim);
  await client.create(persistentVolumes, volumeDraft(pair, metadata.uid));
  const ofVolume = { kind: 'merge', body: { status: { phase: 'Bound' } } } as const;
  await client.patch(persistentVolumes, { name: volumeName }, ofVolume, { subresource: 'status' });
  await markBound(client, name, size);
}

function claimAnnotations(driverName: string): Record<string, string> {
  return {
    'pv.kubernetes.io/bind-completed': 'yes',
    'pv.kubernetes.io/bound-by-controller': 'yes',
    'volume.beta.kubernetes.io/storage-provisioner': driverName,
    'volume.kubernetes.io/storage-provisioner': driverName,
  };
}

function volumeDraft(
  { name, volumeName, handle, driver, size, isAttached }: BoundPair,
  claimUid: string,
): Draft<PersistentVolume> {
  const attacherFinalizer = `external-attacher/${driver.name.replaceAll('.', '-')}`;
  const terms = Object.entries(driver.topology).map(([key, value]) => ({ key, operator: 'In', values: [value] }));
  return {
    metadata: {
      name: volumeName,
      annotations: { 'pv.kubernetes.io/provisioned-by': driver.name },
      finalizers: [
        'kubernetes.io/pv-protection',
        'external-provisioner.volume.kubernetes.io/finalizer',
        ...(isAttached ? [attacherFinalizer] : []),
      ],
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: size },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid: claimUid },
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: className,
      volumeMode: 'Filesystem',
      csi: {
        driver: driver.name,
        volumeHandle: handle,
        fsType: 'ext4',
        volumeAttributes: { 'storage.kubernetes.io/csiProvisionerIdentity': `1-1-${driver.name}` },
      },
      ...(terms.length === 0
        ? {}
        : { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: terms }] } } }),
    },
  };
}

async function markBound(client: KubeClient, name: string, size: string): Promise<void> {
  const status = { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: size } };
  const patch = { kind: 'merge', body: { status } } as const;
  await client.patch(persistentVolumeClaims, { namespace, name }, patch, { subresource: 'status' });
}

/** Binds a claim to the volume that was just made for it, in place of the binding loop. */
export async function bindByHand(client: KubeClient, name: string, volumeName: string, size: string): Promise<void> {
  const body = {
    metadata: { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } },
    spec: { volumeName },
  };
  await client.patch(persistentVolumeClaims, { namespace, name }, { kind: 'merge', body });
  await markBound(client, name, size);
}

async function createAttached(
  client: KubeClient,
  attached: { volumeName: string; driver: Driver; publishContext: Record<string, string> },
): Promise<void> {
  const { volumeName, driver, publishContext } = attached;
  const draft = attachmentDraft(volumeName, driver.name);
  await client.create(volumeAttachments, {
    ...draft,
    metadata: {
      ...draft.metadata,
      annotations: { 'csi.alpha.kubernetes.io/node-id': driver.nodeId },
      finalizers: [`external-attacher/${driver.name.replaceAll('.', '-')}`],
    },
  });
  const body = { status: { attached: true, attachmentMetadata: publishContext } };
  await client.patch(
    volumeAttachments,
    { name: attachmentName(volumeName) },
    { kind: 'merge', body },
    { subresource: 'status' },
  );
}
