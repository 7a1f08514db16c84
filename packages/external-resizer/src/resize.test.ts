import { type Fence, FenceError, openFence } from '@holdfast/control';
import { silentLogger } from '@holdfast/core';
import { createRecordingLogger } from '@holdfast/core/testing';
import { ControllerExpandVolumeRequest } from '@holdfast/csi-spec';
import {
  type Event,
  events,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  secrets,
  storageClasses,
} from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import {
  type ScriptedDriver,
  type ScriptedDriverOptions,
  startScriptedDriver,
  startTestCluster,
  type TestCluster,
} from '@holdfast/sandbox/testing';
import { connectDriver, createMetricsRegistry } from '@holdfast/sidecar';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { assembleResizer, detectExpansion } from './assemble.ts';
import { resizerFlags } from './flags.ts';
import { annotations } from './names.ts';

const GI = 1024n ** 3n;
const RESIZER = 'csi-resizer/test';
const claimRef = { name: 'data', namespace: 'default' };

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Rig {
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
}

async function setUp(driverOptions: ScriptedDriverOptions = {}, volumeSpec: object = {}): Promise<Rig> {
  const cluster = await startTestCluster();
  cleanUps.push(() => cluster.stop());
  const driver = await startScriptedDriver(driverOptions);
  cleanUps.push(() => driver.stop());
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
      context: { log: createRecordingLogger(), registry: createMetricsRegistry() },
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
    events: async () => (await client.list(events, { namespace: 'default' })).items,
  };
}

function asRequest(request: unknown): object {
  if (typeof request !== 'object' || request === null) throw new Error('no request');
  return request;
}

function grows(to: bigint | undefined, nodeExpansionRequired: boolean) {
  return async ({ capacityRange }: { capacityRange: { requiredBytes: bigint } | undefined }) => ({
    capacityBytes: to ?? capacityRange?.requiredBytes ?? 0n,
    nodeExpansionRequired,
  });
}

async function reasons(rig: Rig): Promise<string[]> {
  return (await rig.events()).map(({ reason }) => reason ?? '').sort();
}

const storageOf = (resources: Record<string, string> | undefined) => resources?.storage;
const conditionTypes = (claim: PersistentVolumeClaim) =>
  (claim.status?.conditions ?? []).map(({ type }) => type).sort();

describe('a volume that the controller expands alone', () => {
  it('grows with one call, three patches and one event', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', grows(undefined, false));
    await rig.start();
    rig.cluster.requests.length = 0;
    await rig.request('3Gi');
    await vi.waitFor(async () => expect(await reasons(rig)).toEqual(['VolumeResizeSuccessful']));

    expect(rig.expandedTo()).toEqual([3n * GI]);
    expect(rig.writes()).toEqual([
      'patch persistentvolumeclaims/status',
      'patch persistentvolumes',
      'patch persistentvolumeclaims/status',
      'create events',
    ]);
    const claim = await rig.claim();
    expect(storageOf(claim.status?.capacity)).toBe('3Gi');
    expect(storageOf(claim.status?.allocatedResources)).toBe('3Gi');
    expect(storageOf(claim.status?.allocatedResourceStatuses)).toBeUndefined();
    expect(conditionTypes(claim)).toEqual([]);
    expect(claim.metadata.annotations?.[annotations.nodeExpansionNotRequired]).toBe('true');
    const volume = await rig.volume();
    expect(storageOf(volume.spec?.capacity)).toBe('3Gi');
    expect(volume.metadata.annotations?.[annotations.preResizeCapacity]).toBeUndefined();
  });

  it('gets what the driver needs to know, and capabilities are asked once', async () => {
    const secretRef = { name: 'expand', namespace: 'default' };
    const rig = await setUp(
      {},
      {
        csi: {
          driver: 'scripted.csi.holdfast',
          volumeHandle: 'vol-1',
          fsType: 'xfs',
          controllerExpandSecretRef: secretRef,
        },
      },
    );
    await rig.cluster.client.create(secrets, {
      metadata: secretRef,
      data: { password: Buffer.from('sesame-42').toString('base64') },
    });
    rig.driver.on('ControllerExpandVolume', grows(undefined, false));
    await rig.start();
    await rig.request('2Gi');
    await vi.waitFor(async () => expect(await reasons(rig)).toHaveLength(1));
    await rig.request('3Gi');
    await vi.waitFor(() => expect(rig.expandedTo()).toEqual([2n * GI, 3n * GI]));
    expect(rig.driver.callsOf('ControllerExpandVolume')[0]?.request).toMatchObject({
      volumeId: 'vol-1',
      secrets: { password: 'sesame-42' },
      volumeCapability: {
        accessType: { $case: 'mount', value: { fsType: 'xfs', mountFlags: ['noatime'] } },
        accessMode: { mode: 1 },
      },
    });
    expect(rig.driver.callsOf('ControllerGetCapabilities')).toHaveLength(1);
  });

  it('keeps a size beyond what a double can count', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', grows(undefined, false));
    await rig.start();
    await rig.request('9007199254740993');
    await vi.waitFor(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('9007199254740993'));
    expect(rig.expandedTo()).toEqual([9007199254740993n]);
  });
});

describe('a volume that the node has to finish', () => {
  it('is handed over to kubelet, and left alone until kubelet is done', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', grows(undefined, true));
    await rig.start();
    rig.cluster.requests.length = 0;
    await rig.request('2Gi');
    await vi.waitFor(async () => expect(await reasons(rig)).toEqual(['FileSystemResizeRequired']));
    const claim = await rig.claim();
    expect(storageOf(claim.status?.capacity)).toBe('1Gi');
    expect(storageOf(claim.status?.allocatedResourceStatuses)).toBe('NodeResizePending');
    expect(conditionTypes(claim)).toEqual(['FileSystemResizePending', 'Resizing']);
    expect((await rig.volume()).metadata.annotations?.[annotations.preResizeCapacity]).toBe('1Gi');
    expect(rig.writes().slice(0, 3)).toEqual([
      'patch persistentvolumeclaims/status',
      'patch persistentvolumes',
      'patch persistentvolumeclaims/status',
    ]);

    await rig.request('3Gi');
    const finish = { status: { capacity: { storage: '2Gi' }, allocatedResourceStatuses: null, conditions: [] } };
    await rig.cluster.client.patch(
      persistentVolumeClaims,
      claimRef,
      { kind: 'merge', body: finish },
      { subresource: 'status' },
    );
    await vi.waitFor(() => expect(rig.expandedTo()).toEqual([2n * GI, 3n * GI]));
  });

  it('keeps the conditions that others set meanwhile', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', async (request) => {
      const foreign = { status: { conditions: [{ type: 'ModifyingVolume', status: 'True' }] } };
      await rig.cluster.client.patch(
        persistentVolumeClaims,
        claimRef,
        { kind: 'strategic', body: foreign },
        { subresource: 'status' },
      );
      return grows(undefined, true)(request);
    });
    await rig.start();
    await rig.request('2Gi');
    await vi.waitFor(async () => expect(await reasons(rig)).toEqual(['FileSystemResizeRequired']));
    expect(conditionTypes(await rig.claim())).toEqual(['FileSystemResizePending', 'ModifyingVolume', 'Resizing']);
    // The claim changed under the call, and still the driver was asked once.
    expect(rig.expandedTo()).toEqual([2n * GI]);
  });

  it('of a driver that only expands on the node is not asked for at all', async () => {
    const rig = await setUp({
      capabilities: { plugin: ['CONTROLLER_SERVICE'], controller: [], node: ['EXPAND_VOLUME'] },
    });
    await rig.start();
    rig.cluster.requests.length = 0;
    await rig.request('2Gi');
    await vi.waitFor(async () => expect(await reasons(rig)).toEqual(['FileSystemResizeRequired']));
    expect(rig.expandedTo()).toEqual([]);
    expect(storageOf((await rig.volume()).spec?.capacity)).toBe('2Gi');
    expect(storageOf((await rig.claim()).status?.allocatedResourceStatuses)).toBe('NodeResizePending');
    expect(rig.writes()).toHaveLength(4);
  });
});

describe('a size that the driver calls impossible', () => {
  it('is asked for once, shown, and recovered from by a lower request', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', async (request) => {
      if ((request.capacityRange?.requiredBytes ?? 0n) > 5n * GI) throw rpcError('OutOfRange', 'the pool has 5Gi');
      return grows(undefined, false)(request);
    });
    await rig.start();
    await rig.request('9Gi');
    await vi.waitFor(async () => {
      expect(storageOf((await rig.claim()).status?.allocatedResourceStatuses)).toBe('ControllerResizeInfeasible');
    });
    const failed = await rig.claim();
    expect(conditionTypes(failed)).toEqual(['ControllerResizeError', 'Resizing']);
    expect(failed.status?.conditions?.find(({ type }) => type === 'ControllerResizeError')?.message).toBe(
      'failed to expand pvc with rpc error: code = OutOfRange desc = the pool has 5Gi',
    );
    await vi.waitFor(async () => expect(await reasons(rig)).toEqual(['VolumeResizeFailed']));
    expect(rig.expandedTo()).toEqual([9n * GI]);

    await rig.request('4Gi');
    await vi.waitFor(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('4Gi'));
    expect(rig.expandedTo()).toEqual([9n * GI, 4n * GI]);
    const recovered = await rig.claim();
    expect(storageOf(recovered.status?.allocatedResources)).toBe('4Gi');
    expect(storageOf(recovered.status?.allocatedResourceStatuses)).toBeUndefined();
    expect(conditionTypes(recovered)).toEqual([]);
  });

  it('is tried again after --retry-interval-max', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', async () => {
      throw rpcError('InvalidArgument', 'no');
    });
    await rig.start('--retry-interval-max=50ms');
    await rig.request('9Gi');
    await vi.waitFor(() => expect(rig.expandedTo().length).toBeGreaterThanOrEqual(3));
  });
});

describe('an expansion whose outcome is unknown', () => {
  it('is brought to its end before a lower request counts, also by the next process', async () => {
    const rig = await setUp();
    const back = rig.driver.on('ControllerExpandVolume', async () => {
      throw rpcError('DeadlineExceeded', 'still at it');
    });
    const stop = await rig.start();
    await rig.request('5Gi');
    await vi.waitFor(() => expect(rig.expandedTo().length).toBeGreaterThanOrEqual(2));
    expect(storageOf((await rig.claim()).status?.allocatedResourceStatuses)).toBe('ControllerResizeInProgress');
    await rig.request('2Gi');
    await stop();
    rig.driver.calls.length = 0;
    back();
    rig.driver.on('ControllerExpandVolume', grows(undefined, false));
    await rig.start();
    await vi.waitFor(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('5Gi'));
    expect(rig.expandedTo()).toEqual([5n * GI]);
  });

  it('costs no status patch per retry', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', async () => {
      throw rpcError('Unavailable', 'back end restarts');
    });
    await rig.start('--retry-interval-max=20ms');
    rig.cluster.requests.length = 0;
    await rig.request('5Gi');
    await vi.waitFor(() => expect(rig.expandedTo().length).toBeGreaterThanOrEqual(4));
    expect(rig.writes().filter((write) => write.includes('claims'))).toEqual(['patch persistentvolumeclaims/status']);
  });
});

it('lets a lower request count after an error that ended the expansion', async () => {
  const rig = await setUp();
  rig.driver.on('ControllerExpandVolume', async (request) => {
    if ((request.capacityRange?.requiredBytes ?? 0n) > 2n * GI) throw rpcError('Internal', 'broken');
    return grows(undefined, false)(request);
  });
  await rig.start();
  await rig.request('5Gi');
  await vi.waitFor(async () =>
    expect(conditionTypes(await rig.claim())).toEqual(['ControllerResizeError', 'Resizing']),
  );
  await rig.request('2Gi');
  await vi.waitFor(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('2Gi'));
});

it('does not retry past its back-off because of what it wrote itself', async () => {
  const rig = await setUp();
  rig.driver.on('ControllerExpandVolume', async () => {
    throw rpcError('Internal', 'broken');
  });
  await rig.start('--retry-interval-start=1h', '--retry-interval-max=1h');
  await rig.request('5Gi');
  await vi.waitFor(async () => expect(conditionTypes(await rig.claim())).toContain('ControllerResizeError'));
  await vi.waitFor(async () => expect(await reasons(rig)).toEqual(['VolumeResizeFailed']));
  await rig.request('6Gi');
  await vi.waitFor(() => expect(rig.expandedTo().length).toBeGreaterThanOrEqual(2));
  expect(rig.expandedTo()).toEqual([5n * GI, 6n * GI]);
});

it('writes and calls nothing once the lease is not surely its own', async () => {
  const rig = await setUp();
  rig.driver.on('ControllerExpandVolume', grows(undefined, false));
  let isHeld = false;
  const checks: boolean[] = [];
  const fence = {
    get isHeld() {
      return isHeld;
    },
    check() {
      checks.push(isHeld);
      if (!isHeld) throw new FenceError('deposed');
    },
  };
  await rig.startFenced(fence, '--retry-interval-max=20ms');
  rig.cluster.requests.length = 0;
  await rig.request('2Gi');
  await vi.waitFor(() => expect(checks.length).toBeGreaterThanOrEqual(3));
  expect(rig.writes()).toEqual([]);
  expect(rig.expandedTo()).toEqual([]);
  isHeld = true;
  await vi.waitFor(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('2Gi'));
});

it('clears the pre-resize capacity with the gate AnnotateFsResize once the node has caught up', async () => {
  const rig = await setUp();
  rig.driver.on('ControllerExpandVolume', grows(undefined, true));
  await rig.start('--feature-gates=AnnotateFsResize=true');
  await rig.request('2Gi');
  await vi.waitFor(async () => expect(await reasons(rig)).toEqual(['FileSystemResizeRequired']));
  expect((await rig.volume()).metadata.annotations?.[annotations.preResizeCapacity]).toBe('1Gi');
  const finish = { status: { capacity: { storage: '2Gi' }, allocatedResourceStatuses: null, conditions: [] } };
  await rig.cluster.client.patch(
    persistentVolumeClaims,
    claimRef,
    { kind: 'merge', body: finish },
    { subresource: 'status' },
  );
  await vi.waitFor(async () => {
    expect((await rig.volume()).metadata.annotations?.[annotations.preResizeCapacity]).toBeUndefined();
  });
});

describe('a driver whose answer cannot be', () => {
  it.each([
    ['0 bytes', 0n, 'to 0 where at least 3Gi was asked for'],
    ['less than asked', 2n * GI, 'to 2Gi where at least 3Gi was asked for'],
  ])('%s: is told on the claim, and the volume is not touched', async (_name, answer, text) => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', grows(answer, false));
    await rig.start();
    await rig.request('3Gi');
    await vi.waitFor(async () => expect(await reasons(rig)).toEqual(['VolumeResizeFailed']));
    const [event] = await rig.events();
    expect(event?.message).toContain(text);
    expect(event?.message).toContain('fault of the driver');
    await vi.waitFor(() => expect(rig.expandedTo().length).toBeGreaterThanOrEqual(2));
    expect(rig.writes().filter((write) => write === 'patch persistentvolumes')).toEqual([]);
    expect(storageOf((await rig.claim()).status?.capacity)).toBe('1Gi');
  });
});

describe('a driver that only expands unused volumes', () => {
  it('is not called again while a pod uses the volume, and is as soon as the pod is gone', async () => {
    const rig = await setUp();
    const { client } = rig.cluster;
    const pod = await client.create(pods, {
      metadata: { name: 'web-0', namespace: 'default' },
      spec: {
        containers: [{ name: 'c', image: 'i' }],
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
      },
    });
    let isInUse = true;
    rig.driver.on('ControllerExpandVolume', async (request) => {
      if (isInUse) throw rpcError('FailedPrecondition', 'volume is published');
      return grows(undefined, false)(request);
    });
    await rig.start();
    expect(rig.cluster.requests.some(({ resource, userAgent }) => resource === 'pods' && userAgent === RESIZER)).toBe(
      false,
    );
    await rig.request('2Gi');
    await vi.waitFor(async () => {
      const told = (await rig.events()).find(({ message }) => message?.includes('web-0'));
      expect(told?.message).toContain('only supports offline expansion');
    });
    const calls = rig.expandedTo().length;
    await rig.request('3Gi');
    isInUse = false;
    await client.delete(pods, pod.metadata, { gracePeriodSeconds: 0 });
    await vi.waitFor(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('3Gi'));
    expect(rig.expandedTo()).toHaveLength(calls + 1);
  });

  it('is called in any case with --handle-volume-inuse-error=false', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', async () => {
      throw rpcError('FailedPrecondition', 'volume is published');
    });
    await rig.start('--handle-volume-inuse-error=false', '--retry-interval-max=20ms');
    await rig.request('2Gi');
    await vi.waitFor(() => expect(rig.expandedTo().length).toBeGreaterThanOrEqual(4));
    expect(rig.cluster.requests.some(({ resource, userAgent }) => resource === 'pods' && userAgent === RESIZER)).toBe(
      false,
    );
  });
});

describe('what goes wrong on the way', () => {
  it('a missing secret is named on the claim, and nothing is announced', async () => {
    const secretRef = { name: 'missing', namespace: 'default' };
    const rig = await setUp(
      {},
      { csi: { driver: 'scripted.csi.holdfast', volumeHandle: 'vol-1', controllerExpandSecretRef: secretRef } },
    );
    rig.driver.on('ControllerExpandVolume', grows(undefined, false));
    await rig.start();
    await rig.request('2Gi');
    await vi.waitFor(async () => expect(await reasons(rig)).toEqual(['VolumeResizeFailed']));
    expect((await rig.events())[0]?.message).toContain('secret "default/missing"');
    expect(rig.expandedTo()).toEqual([]);
    expect((await rig.claim()).status?.allocatedResources).toBeUndefined();
    await rig.cluster.client.create(secrets, { metadata: secretRef, data: {} });
    await vi.waitFor(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('2Gi'));
  });

  it('a secret that the driver repeats in its error is shown to nobody', async () => {
    const secretRef = { name: 'expand', namespace: 'default' };
    const rig = await setUp(
      {},
      { csi: { driver: 'scripted.csi.holdfast', volumeHandle: 'vol-1', controllerExpandSecretRef: secretRef } },
    );
    await rig.cluster.client.create(secrets, {
      metadata: secretRef,
      data: { password: Buffer.from('open-sesame').toString('base64') },
    });
    rig.driver.on('ControllerExpandVolume', async () => {
      throw rpcError('Internal', 'ran tool --password=open-sesame and it failed');
    });
    await rig.start();
    await rig.request('2Gi');
    await vi.waitFor(async () => expect(conditionTypes(await rig.claim())).toContain('ControllerResizeError'));
    await vi.waitFor(async () => expect(await reasons(rig)).toContain('VolumeResizeFailed'));
    expect(JSON.stringify([await rig.claim(), await rig.events()])).not.toContain('open-sesame');
  });

  it.each(['persistentvolumes', 'persistentvolumeclaims'])(
    'a lost reply to a patch of %s ends in the same state',
    async (resource) => {
      const rig = await setUp();
      rig.driver.on('ControllerExpandVolume', grows(undefined, false));
      await rig.start();
      let dropped = 0;
      rig.cluster.intercept((request) => {
        if (request.verb !== 'patch' || request.resource !== resource || dropped > 0 || rig.expandedTo().length === 0)
          return undefined;
        dropped += 1;
        return { drop: 'after' };
      });
      await rig.request('2Gi');
      await vi.waitFor(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('2Gi'));
      await vi.waitFor(async () => expect(storageOf((await rig.volume()).spec?.capacity)).toBe('2Gi'));
      expect(dropped).toBe(1);
      expect(conditionTypes(await rig.claim())).toEqual([]);
    },
  );
});
