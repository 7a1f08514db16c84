import { type Fence, openFence } from '@holdfast/control';
import { errorMessage } from '@holdfast/core';
import { ControllerExpandVolumeRequest, ControllerModifyVolumeRequest } from '@holdfast/csi-spec';
import {
  type Event,
  events,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
  volumeAttributesClasses,
} from '@holdfast/kube';
import { type ControllerRig, type ScriptedDriverOptions, startControllerRig } from '@holdfast/sandbox/testing';
import { assembleResizer } from '../assemble.ts';
import { resizerFlags } from '../flags.ts';

export const GI = 1024n ** 3n;
export const claimRef = { name: 'data', namespace: 'default' };

type Controller = ControllerRig<ReturnType<typeof resizerFlags.parse>>;

/** A rig with one bound claim of 1Gi. */
export interface Rig extends Omit<Controller, 'start'> {
  /** Starts the resizer, with flags beside `--retry-interval-start=10ms`. */
  start(...flags: string[]): Promise<void>;
  startFenced(fence: Fence, ...flags: string[]): Promise<void>;
  claim(): Promise<PersistentVolumeClaim>;
  volume(): Promise<PersistentVolume>;
  request(size: string): Promise<void>;
  /** Creates a VolumeAttributesClass with the parameter `iops`. */
  createClass(name: string, iops: string, driverName?: string): Promise<void>;
  deleteClass(name: string): Promise<void>;
  requestClass(name: string): Promise<void>;
  expandedTo(): bigint[];
  /** The parameter `iops` of each ControllerModifyVolume. */
  modifiedTo(): string[];
  events(): Promise<Event[]>;
  /** Reasons of the events, sorted. */
  reasons(): Promise<string[]>;
  /** The resizer's error lines. */
  errors(): string[];
}

export async function startRig(driverOptions: ScriptedDriverOptions = {}, volumeSpec: object = {}): Promise<Rig> {
  const rig = await startControllerRig({
    program: 'csi-resizer',
    assemble: assembleResizer,
    driver: driverOptions,
  });
  const { cluster, driver, log } = rig;
  const { client } = cluster;
  await client.create(storageClasses, {
    metadata: { name: 'disk' },
    provisioner: driver.name,
    allowVolumeExpansion: true,
  });
  const claim = await client.create(persistentVolumeClaims, {
    metadata: claimRef,
    spec: {
      storageClassName: 'disk',
      volumeName: 'pv-1',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
    },
  });
  await client.create(persistentVolumes, {
    metadata: { name: 'pv-1' },
    spec: {
      storageClassName: 'disk',
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...claimRef, uid: claim.metadata.uid },
      csi: { driver: driver.name, volumeHandle: 'vol-1', fsType: 'xfs' },
      mountOptions: ['noatime'],
      ...volumeSpec,
    },
  });
  await client.patch(
    persistentVolumeClaims,
    claimRef,
    {
      kind: 'merge',
      body: { status: { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] } },
    },
    { subresource: 'status' },
  );

  async function startFenced(fence: Fence, ...flags: string[]): Promise<void> {
    await rig.start(resizerFlags.parse(['--retry-interval-start=10ms', ...flags], { syntax: 'go' }), fence);
  }

  async function listEvents(): Promise<Event[]> {
    return (await client.list(events, { namespace: 'default' })).items;
  }

  return {
    ...rig,
    start: (...flags) => startFenced(openFence, ...flags),
    startFenced,
    claim: () => client.get(persistentVolumeClaims, claimRef),
    volume: () => client.get(persistentVolumes, { name: 'pv-1' }),
    async request(size) {
      const body = { spec: { resources: { requests: { storage: size } } } };
      await client.patch(persistentVolumeClaims, claimRef, { kind: 'merge', body });
    },
    async createClass(name, iops, driverName = driver.name) {
      await client.create(volumeAttributesClasses, { metadata: { name }, driverName, parameters: { iops } });
    },
    async deleteClass(name) {
      const body = { metadata: { finalizers: null } };
      await client.patch(volumeAttributesClasses, { name }, { kind: 'merge', body });
      await client.delete(volumeAttributesClasses, { name });
    },
    async requestClass(name) {
      const body = { spec: { volumeAttributesClassName: name } };
      await client.patch(persistentVolumeClaims, claimRef, { kind: 'merge', body });
    },
    modifiedTo: () =>
      driver
        .callsOf('ControllerModifyVolume')
        .map(
          ({ request }) =>
            ControllerModifyVolumeRequest.fromPartial(asRequest(request)).mutableParameters['iops'] ?? '',
        ),
    expandedTo: () =>
      driver
        .callsOf('ControllerExpandVolume')
        .map(
          ({ request }) =>
            ControllerExpandVolumeRequest.fromPartial(asRequest(request)).capacityRange?.requiredBytes ?? -1n,
        ),
    errors: () =>
      log.lines
        .filter(({ level }) => level === 'error')
        .map(({ message, fields }) => `${message}: ${errorMessage(fields.error)}`),
    events: listEvents,
    reasons: async () => (await listEvents()).map(({ reason }) => reason ?? '').sort(),
  };
}

function asRequest(request: unknown): object {
  if (typeof request !== 'object' || request === null) throw new Error('no request');
  return request;
}

/** A ControllerExpandVolume that answers `to`, or what was asked for. */
export function grows(to: bigint | undefined, nodeExpansionRequired: boolean) {
  return async ({ capacityRange }: { capacityRange: { requiredBytes: bigint } | undefined }) => ({
    capacityBytes: to ?? capacityRange?.requiredBytes ?? 0n,
    nodeExpansionRequired,
  });
}

export const storageOf = (resources: Record<string, string> | undefined) => resources?.storage;
export const conditionTypes = (claim: PersistentVolumeClaim) =>
  (claim.status?.conditions ?? []).map(({ type }) => type).sort();
