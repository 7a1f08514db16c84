import { type Fence, openFence } from '@holdfast/control';
import { errorMessage, silentLogger } from '@holdfast/core';
import { createRecordingLogger } from '@holdfast/core/testing';
import { ControllerExpandVolumeRequest } from '@holdfast/csi-spec';
import {
  type Event,
  events,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
} from '@holdfast/kube';
import {
  type ScriptedDriver,
  type ScriptedDriverOptions,
  startScriptedDriver,
  startTestCluster,
  type TestCluster,
} from '@holdfast/sandbox/testing';
import { connectDriver, createMetricsRegistry } from '@holdfast/sidecar';
import { assembleResizer, detectExpansion } from '../assemble.ts';
import { resizerFlags } from '../flags.ts';

export const GI = 1024n ** 3n;
export const RESIZER = 'csi-resizer/test';
export const claimRef = { name: 'data', namespace: 'default' };

/** A real API server with one bound claim of 1Gi, and a real driver behind it. */
export interface Rig {
  cluster: TestCluster;
  driver: ScriptedDriver;
  /** Starts the resizer; returns its end. */
  start(...flags: string[]): Promise<() => Promise<void>>;
  startFenced(fence: Fence, ...flags: string[]): Promise<() => Promise<void>>;
  claim(): Promise<PersistentVolumeClaim>;
  volume(): Promise<PersistentVolume>;
  request(size: string): Promise<void>;
  /** The resizer's own writes, as `verb resource/subresource`. */
  writes(): string[];
  expandedTo(): bigint[];
  events(): Promise<Event[]>;
  /** Reasons of the events, sorted. */
  reasons(): Promise<string[]>;
  /** The resizer's error lines. */
  errors(): string[];
  /** Ends whatever this rig started, the last first. */
  stop(): Promise<void>;
}

export async function startRig(driverOptions: ScriptedDriverOptions = {}, volumeSpec: object = {}): Promise<Rig> {
  const cleanUps: (() => Promise<void>)[] = [];
  const cluster = await startTestCluster();
  cleanUps.push(() => cluster.stop());
  const driver = await startScriptedDriver(driverOptions);
  cleanUps.push(() => driver.stop());
  const { client } = cluster;
  const log = createRecordingLogger();
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

  async function startFenced(fence: Fence, ...flags: string[]): Promise<() => Promise<void>> {
    const abort = new AbortController();
    const values = resizerFlags.parse(['--retry-interval-start=10ms', ...flags], { syntax: 'go' });
    const found = await connectDriver({
      address: driver.socketPath,
      timeoutMs: 5_000,
      log: silentLogger,
      signal: abort.signal,
    });
    const own = await cluster.createClient(RESIZER);
    const { resizer, caches, recorder } = assembleResizer({
      values,
      context: { log, registry: createMetricsRegistry() },
      client: own,
      found,
      expansion: await detectExpansion(found, { timeoutMs: 5_000, signal: abort.signal }),
    });
    const running = [
      ...Object.values(caches.tasks).map((task) => task(abort.signal)),
      resizer.run(abort.signal, fence),
    ];
    await caches.synced;
    let isStopped = false;
    const stop = async () => {
      if (isStopped) return;
      isStopped = true;
      abort.abort(new Error('stop'));
      await Promise.all(running);
      await recorder.stop();
      found.connection.close();
    };
    cleanUps.push(stop);
    return stop;
  }

  async function listEvents(): Promise<Event[]> {
    return (await client.list(events, { namespace: 'default' })).items;
  }

  return {
    cluster,
    driver,
    start: (...flags) => startFenced(openFence, ...flags),
    startFenced,
    claim: () => client.get(persistentVolumeClaims, claimRef),
    volume: () => client.get(persistentVolumes, { name: 'pv-1' }),
    async request(size) {
      const body = { spec: { resources: { requests: { storage: size } } } };
      await client.patch(persistentVolumeClaims, claimRef, { kind: 'merge', body });
    },
    writes: () =>
      cluster.requests
        .filter(({ userAgent, verb }) => userAgent === RESIZER && !['get', 'list', 'watch'].includes(verb))
        .map(
          ({ verb, resource, path }) =>
            `${verb} ${resource}${path.split('?')[0]?.endsWith('/status') ? '/status' : ''}`,
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
    async stop() {
      for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    },
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
