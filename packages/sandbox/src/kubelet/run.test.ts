import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, silentLogger } from '@holdfast/core';
import { createFakeClock } from '@holdfast/core/testing';
import { RegistrationService } from '@holdfast/csi-spec';
import { csiNodes, nodes, persistentVolumeClaims, persistentVolumes, pods, volumeAttachments } from '@holdfast/kube';
import { bindService, rpcError, serveUnix, type UnixServer } from '@holdfast/rpc';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { attachmentName } from '../loops/attaching/names.ts';
import { type ScriptedDriver, startScriptedDriver, startTestCluster, type TestCluster } from '../testing/index.ts';
import type { ContainerRuntime, ContainerState } from './pods/runtime.ts';
import { runKubelet } from './run.ts';

const nodeName = 'node-1';
const handle = 'vol-1';

/** Containers that run until they are told to end. Processes and mounts are proved where there is a root to make them. */
function createMemoryRuntime(): ContainerRuntime {
  const states = new Map<string, Map<string, ContainerState>>();
  const listeners: ((podUid: string) => void)[] = [];
  return {
    adopt: async () => undefined,
    start: async ({ podUid, name, restarts }) => {
      const ofPod = states.get(podUid) ?? new Map<string, ContainerState>();
      states.set(podUid, ofPod.set(name, { kind: 'running', id: name, startedAtMs: Date.now(), restarts }));
    },
    state: (podUid, name) => states.get(podUid)?.get(name) ?? { kind: 'none' },
    containersOf: (podUid) => [...(states.get(podUid)?.keys() ?? [])],
    signal: (podUid, name) => {
      const state = states.get(podUid)?.get(name);
      if (state?.kind === 'running') {
        states.get(podUid)?.set(name, { ...state, kind: 'exited', exitCode: 0, finishedAtMs: Date.now() });
        listeners.forEach((listener) => listener(podUid));
      }
    },
    logPath: () => undefined,
    exec: async () => ({ exitCode: 0, stdout: '', stderr: '' }),
    remove: async (podUid) => {
      states.delete(podUid);
    },
    onExit: (listener) => {
      listeners.push(listener);
    },
    close: () => undefined,
  };
}

let cluster: TestCluster;
let driver: ScriptedDriver;
let rootDir: string;
let registrar: UnixServer | undefined;
const verdicts: boolean[] = [];
const running: { stopping: AbortController; ended: Promise<void> }[] = [];

function startKubelet(runtime: ContainerRuntime = createMemoryRuntime(), clock?: Clock): () => Promise<void> {
  const stopping = new AbortController();
  const ended = runKubelet({
    client: cluster.client,
    nodeName,
    rootDir,
    runtime,
    log: silentLogger,
    ...(clock === undefined ? {} : { clock }),
    signal: stopping.signal,
  });
  running.push({ stopping, ended });
  return async () => {
    stopping.abort();
    await ended;
  };
}

async function register(): Promise<void> {
  const registry = join(rootDir, 'plugins_registry');
  await mkdir(registry, { recursive: true });
  registrar = await serveUnix({
    address: join(registry, `${driver.name}-reg.sock`),
    log: silentLogger,
    services: [
      bindService(RegistrationService, {
        getInfo: async () => ({
          type: 'CSIPlugin',
          name: driver.name,
          endpoint: driver.socketPath,
          supportedVersions: ['1.0.0'],
        }),
        notifyRegistrationStatus: async ({ pluginRegistered }) => {
          verdicts.push(pluginRegistered);
          return {};
        },
      }),
    ],
  });
}

async function createVolumeAndPod(): Promise<void> {
  await cluster.apply(`
apiVersion: v1
kind: PersistentVolume
metadata: { name: pv-1 }
spec:
  capacity: { storage: 1Gi }
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  claimRef: { namespace: default, name: data }
  csi: { driver: ${driver.name}, volumeHandle: ${handle}, fsType: ext4, volumeAttributes: { color: blue } }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec:
  storageClassName: ""
  volumeName: pv-1
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: 1Gi } }
`);
  await createPod();
}

async function createPod(): Promise<void> {
  await cluster.apply(`
apiVersion: v1
kind: Pod
metadata: { name: app }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: app
      command: [app]
      volumeMounts: [{ name: data, mountPath: /data }]
  volumes: [{ name: data, persistentVolumeClaim: { claimName: data } }]
`);
}

/** What the external attacher would do. */
async function attach(): Promise<void> {
  const name = attachmentName(handle, driver.name, nodeName);
  await vi.waitFor(() => cluster.client.get(volumeAttachments, { name }), { timeout: 10_000 });
  const body = { status: { attached: true, attachmentMetadata: { device: 'sdx' } } };
  await cluster.client.patch(volumeAttachments, { name }, { kind: 'merge', body }, { subresource: 'status' });
}

const podPhase = async () => (await cluster.client.get(pods, { namespace: 'default', name: 'app' })).status?.phase;
const waitForPhase = (phase: string) =>
  vi.waitFor(async () => expect(await podPhase()).toBe(phase), { timeout: 15_000 });
const isPodGone = () =>
  vi.waitFor(async () => expect((await cluster.client.list(pods)).items).toEqual([]), { timeout: 15_000 });
const methods = () =>
  driver.calls.map(({ method }) => method).filter((method) => /^Node(Unp|P)ublish|^Node(Uns|S)tage/.test(method));

beforeEach(async () => {
  verdicts.length = 0;
  cluster = await startTestCluster({ loops: true });
  driver = await startScriptedDriver({ nodeId: 'id-1', topology: { 'topology.test/zone': 'a' } });
  rootDir = await mkdtemp(join(tmpdir(), 'holdfast-kubelet-'));
});

afterEach(async () => {
  for (const { stopping, ended } of running.splice(0)) {
    stopping.abort();
    await ended;
  }
  await registrar?.stop();
  registrar = undefined;
  await driver.stop();
  await cluster.stop();
  await rm(rootDir, { recursive: true, force: true });
});

describe('plug-in registration', () => {
  it('writes CSINode and the topology labels, and takes the driver out when its socket goes', async () => {
    startKubelet();
    await register();
    const csiNode = await vi.waitFor(
      async () => {
        const found = await cluster.client.get(csiNodes, { name: nodeName });
        expect(found.spec.drivers).toHaveLength(1);
        return found;
      },
      { timeout: 10_000 },
    );
    expect(csiNode.spec.drivers[0]).toMatchObject({
      name: driver.name,
      nodeID: 'id-1',
      topologyKeys: ['topology.test/zone'],
    });
    await vi.waitFor(() => expect(verdicts).toEqual([true]), { timeout: 10_000 });
    const node = await cluster.client.get(nodes, { name: nodeName });
    expect(node.metadata.labels).toMatchObject({ 'topology.test/zone': 'a', 'kubernetes.io/hostname': nodeName });

    await registrar?.stop();
    registrar = undefined;
    await vi.waitFor(
      async () => expect((await cluster.client.get(csiNodes, { name: nodeName })).spec.drivers ?? []).toEqual([]),
      { timeout: 10_000 },
    );
  });

  it('tells the plug-in when its driver does not answer, and takes it once it does', async () => {
    const undo = driver.on('NodeGetInfo', async () => {
      throw rpcError('Internal', 'not yet');
    });
    startKubelet();
    await register();
    await vi.waitFor(() => expect(verdicts).toContain(false), { timeout: 10_000 });
    undo();
    await vi.waitFor(() => expect(verdicts).toContain(true), { timeout: 10_000 });
  });
});

describe('volumes of a pod', () => {
  it('are attached, staged and published before it runs, and taken down before it is gone', async () => {
    startKubelet();
    await register();
    await createVolumeAndPod();
    await attach();
    await waitForPhase('Running');

    const staging = driver.callsOf('NodeStageVolume');
    expect(staging).toHaveLength(1);
    expect(staging[0]?.request).toMatchObject({
      volumeId: handle,
      publishContext: { device: 'sdx' },
      volumeContext: { color: 'blue' },
      stagingTargetPath: expect.stringMatching(
        new RegExp(`^${rootDir}/plugins/kubernetes.io/csi/${driver.name}/[0-9a-f]{64}/globalmount$`),
      ),
    });
    const pod = await cluster.client.get(pods, { namespace: 'default', name: 'app' });
    expect(driver.callsOf('NodePublishVolume')[0]?.request).toMatchObject({
      targetPath: `${rootDir}/pods/${pod.metadata.uid}/volumes/kubernetes.io~csi/pv-1/mount`,
      readonly: false,
    });
    expect(pod.status?.containerStatuses?.[0]?.imageID).toMatch(/not-pulled/);
    const inUse = `kubernetes.io/csi/${driver.name}^${handle}`;
    expect((await cluster.client.get(nodes, { name: nodeName })).status?.volumesInUse).toEqual([inUse]);

    await cluster.client.delete(pods, { namespace: 'default', name: 'app' });
    await isPodGone();
    await vi.waitFor(() => expect(methods().at(-1)).toBe('NodeUnstageVolume'), { timeout: 10_000 });
    expect(methods()).toEqual(['NodeStageVolume', 'NodePublishVolume', 'NodeUnpublishVolume', 'NodeUnstageVolume']);
    // Only now may the attachment go.
    await vi.waitFor(async () => expect((await cluster.client.list(volumeAttachments)).items).toEqual([]), {
      timeout: 10_000,
    });
  });

  it('are tried again after an error, undone first when nobody knows how far it got and the pod is gone', async () => {
    const undo = driver.on('NodePublishVolume', async () => {
      throw rpcError('DeadlineExceeded', 'still mounting');
    });
    startKubelet();
    await register();
    await createVolumeAndPod();
    await attach();
    await vi.waitFor(() => expect(driver.callsOf('NodePublishVolume').length).toBeGreaterThan(1), { timeout: 10_000 });
    expect(await podPhase()).toBe('Pending');
    await cluster.client.delete(pods, { namespace: 'default', name: 'app' });
    await isPodGone();
    undo();
    expect(driver.callsOf('NodeUnpublishVolume')).not.toEqual([]);
  });

  it('that failed wait out their back-off, whatever else changes', async () => {
    driver.on('NodePublishVolume', async () => {
      throw rpcError('Internal', 'no luck');
    });
    // Its time stands still, so no back-off ever ends.
    startKubelet(createMemoryRuntime(), createFakeClock());
    await register();
    await createVolumeAndPod();
    await attach();
    await vi.waitFor(() => expect(driver.callsOf('NodePublishVolume')).toHaveLength(1), { timeout: 10_000 });
    for (const color of ['red', 'green', 'blue']) {
      const label = { kind: 'merge', body: { metadata: { labels: { color } } } } as const;
      await cluster.client.patch(persistentVolumes, { name: 'pv-1' }, label);
      await cluster.client.patch(pods, { namespace: 'default', name: 'app' }, label);
    }
    await cluster.client.delete(pods, { namespace: 'default', name: 'app' });
    await isPodGone();
    expect(driver.callsOf('NodePublishVolume')).toHaveLength(1);
  });

  it('are grown on the node when the volume has become larger than the claim says', async () => {
    driver.on('NodeExpandVolume', async () => ({ capacityBytes: 2n * 1024n ** 3n }));
    startKubelet();
    await register();
    await createVolumeAndPod();
    await attach();
    await waitForPhase('Running');
    const grow = { kind: 'merge', body: { spec: { capacity: { storage: '2Gi' } } } } as const;
    await cluster.client.patch(persistentVolumes, { name: 'pv-1' }, grow);
    const claim = await vi.waitFor(
      async () => {
        const found = await cluster.client.get(persistentVolumeClaims, { namespace: 'default', name: 'data' });
        expect(found.status?.capacity).toEqual({ storage: '2Gi' });
        return found;
      },
      { timeout: 10_000 },
    );
    expect(claim.status?.allocatedResourceStatuses ?? {}).toEqual({});
    expect(driver.callsOf('NodeExpandVolume')[0]?.request).toMatchObject({
      volumeId: handle,
      capacityRange: { requiredBytes: 2n * 1024n ** 3n },
    });
  });

  it('keep their size when the driver says that it cannot be, and the claim says so', async () => {
    driver.on('NodeExpandVolume', async () => {
      throw rpcError('OutOfRange', 'too large for this node');
    });
    startKubelet();
    await register();
    await createVolumeAndPod();
    await attach();
    await waitForPhase('Running');
    const grow = { kind: 'merge', body: { spec: { capacity: { storage: '2Gi' } } } } as const;
    await cluster.client.patch(persistentVolumes, { name: 'pv-1' }, grow);
    await vi.waitFor(
      async () => {
        const { status } = await cluster.client.get(persistentVolumeClaims, { namespace: 'default', name: 'data' });
        expect(status?.allocatedResourceStatuses).toEqual({ storage: 'NodeResizeInfeasible' });
        expect(status?.capacity).toEqual({ storage: '1Gi' });
        expect(status?.conditions?.map(({ type, message }) => [type, message])).toEqual([
          ['NodeResizeError', 'too large for this node'],
        ]);
      },
      { timeout: 10_000 },
    );
    expect(driver.callsOf('NodeExpandVolume')).toHaveLength(1);
  });

  it('that cannot grow in use wait until they are mounted anew, and the claim says why', async () => {
    const refuse = driver.on('NodeExpandVolume', async () => {
      throw rpcError('FailedPrecondition', 'not while it is mounted');
    });
    startKubelet();
    await register();
    await createVolumeAndPod();
    await attach();
    await waitForPhase('Running');
    const grow = { kind: 'merge', body: { spec: { capacity: { storage: '2Gi' } } } } as const;
    await cluster.client.patch(persistentVolumes, { name: 'pv-1' }, grow);
    const readStatus = async () =>
      (await cluster.client.get(persistentVolumeClaims, { namespace: 'default', name: 'data' })).status;
    await vi.waitFor(
      async () => {
        const status = await readStatus();
        expect(status?.allocatedResourceStatuses).toEqual({ storage: 'NodeResizePending' });
        expect(status?.conditions?.map(({ type, message }) => [type, message])).toEqual([
          ['NodeResizeError', 'not while it is mounted'],
        ]);
      },
      { timeout: 10_000 },
    );
    expect(driver.callsOf('NodeExpandVolume')).toHaveLength(1);

    refuse();
    driver.on('NodeExpandVolume', async () => ({ capacityBytes: 2n * 1024n ** 3n }));
    await cluster.client.delete(pods, { namespace: 'default', name: 'app' });
    await isPodGone();
    await createPod();
    await attach();
    await vi.waitFor(async () => expect((await readStatus())?.capacity).toEqual({ storage: '2Gi' }), {
      timeout: 10_000,
    });
    expect(driver.callsOf('NodeExpandVolume')).toHaveLength(2);
  });

  it('of a pod deleted while no kubelet ran are taken down by the next one', async () => {
    const runtime = createMemoryRuntime();
    const stop = startKubelet(runtime);
    await register();
    await createVolumeAndPod();
    await attach();
    await waitForPhase('Running');
    const { uid } = (await cluster.client.get(pods, { namespace: 'default', name: 'app' })).metadata;
    const record = join(rootDir, 'pods', uid, 'volumes', 'kubernetes.io~csi', 'pv-1', 'vol_data.json');
    expect(JSON.parse(await readFile(record, 'utf8'))).toEqual({
      driverName: driver.name,
      volumeHandle: handle,
      specVolID: 'pv-1',
    });
    await stop();
    await cluster.client.delete(pods, { namespace: 'default', name: 'app' }, { gracePeriodSeconds: 0 });
    driver.calls.length = 0;

    startKubelet(runtime);
    await vi.waitFor(() => expect(methods()).toEqual(['NodeUnpublishVolume', 'NodeUnstageVolume']), {
      timeout: 15_000,
    });
    await vi.waitFor(() => expect(readFile(record)).rejects.toThrow(/ENOENT/), { timeout: 10_000 });
  });
});
