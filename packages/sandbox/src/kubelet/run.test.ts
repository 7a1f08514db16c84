import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFakeClock } from '@holdfast/core/testing';
import { csiNodes, nodes, persistentVolumeClaims, persistentVolumes, pods, volumeAttachments } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ScriptedDriver, TestCluster } from '../testing/index.ts';
import { createMemoryRuntime, type KubeletRig, startKubeletRig } from '../testing/kubelet-rig.ts';

const nodeName = 'node-1';
const handle = 'vol-1';

let rig: KubeletRig;
let cluster: TestCluster;
let driver: ScriptedDriver;
let rootDir: string;

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

async function createPod(
  name = 'app',
  volumes = '{ name: data, persistentVolumeClaim: { claimName: data } }',
): Promise<void> {
  const mounts = volumes === '' ? '' : '{ name: data, mountPath: /data }';
  await cluster.apply(`
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: app
      command: [app]
      volumeMounts: [${mounts}]
  volumes: [${volumes}]
`);
}

const podPhase = async (name = 'app') => (await cluster.client.get(pods, { namespace: 'default', name })).status?.phase;
const waitForPhase = (phase: string) =>
  vi.waitFor(async () => expect(await podPhase()).toBe(phase), { timeout: 15_000 });
const isPodGone = () =>
  vi.waitFor(async () => expect((await cluster.client.list(pods)).items).toEqual([]), { timeout: 15_000 });
const methods = () =>
  driver.calls.map(({ method }) => method).filter((method) => /^Node(Unp|P)ublish|^Node(Uns|S)tage/.test(method));

beforeEach(async () => {
  rig = await startKubeletRig();
  ({ cluster, driver, rootDir } = rig);
});

afterEach(() => rig.stop());

describe('plug-in registration', () => {
  it('writes CSINode and the topology labels, and takes the driver out when its socket goes', async () => {
    rig.startKubelet();
    await rig.register();
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
    await vi.waitFor(() => expect(rig.verdicts).toEqual([true]), { timeout: 10_000 });
    const node = await cluster.client.get(nodes, { name: nodeName });
    expect(node.metadata.labels).toMatchObject({ 'topology.test/zone': 'a', 'kubernetes.io/hostname': nodeName });

    await rig.unregister();
    await vi.waitFor(
      async () => expect((await cluster.client.get(csiNodes, { name: nodeName })).spec.drivers ?? []).toEqual([]),
      { timeout: 10_000 },
    );
  });

  it('tells the plug-in when its driver does not answer, and takes it once it does', async () => {
    const undo = driver.on('NodeGetInfo', async () => {
      throw rpcError('Internal', 'not yet');
    });
    rig.startKubelet();
    await rig.register();
    await vi.waitFor(() => expect(rig.verdicts).toContain(false), { timeout: 10_000 });
    undo();
    await vi.waitFor(() => expect(rig.verdicts).toContain(true), { timeout: 10_000 });
  });
});

describe('volumes of a pod', () => {
  it('are attached, staged and published before it runs, and taken down before it is gone', async () => {
    rig.startKubelet();
    await rig.register();
    await createVolumeAndPod();
    await rig.attach(handle);
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
    rig.startKubelet();
    await rig.register();
    await createVolumeAndPod();
    await rig.attach(handle);
    await vi.waitFor(() => expect(driver.callsOf('NodePublishVolume').length).toBeGreaterThan(1), { timeout: 10_000 });
    expect(await podPhase()).toBe('Pending');
    await cluster.client.delete(pods, { namespace: 'default', name: 'app' });
    await isPodGone();
    undo();
    expect(driver.callsOf('NodeUnpublishVolume')).not.toEqual([]);
  });

  it('that failed wait out their back-off, whatever else changes', async () => {
    const clock = createFakeClock();
    const passing = setInterval(() => void clock.advance(50), 50);
    driver.on('NodePublishVolume', async () => {
      // From here on its time stands still, so no back-off ever ends.
      clearInterval(passing);
      throw rpcError('Internal', 'no luck');
    });
    rig.startKubelet({ clock });
    await rig.register();
    await createVolumeAndPod();
    await rig.attach(handle);
    await vi.waitFor(() => expect(driver.callsOf('NodePublishVolume')).not.toEqual([]), { timeout: 10_000 });
    for (const color of ['red', 'green', 'blue']) {
      const label = { kind: 'merge', body: { metadata: { labels: { color } } } } as const;
      await cluster.client.patch(persistentVolumes, { name: 'pv-1' }, label);
      await cluster.client.patch(pods, { namespace: 'default', name: 'app' }, label);
    }
    await cluster.client.delete(pods, { namespace: 'default', name: 'app' });
    await isPodGone();
    // What changes while the first call is under way may bring a second one; the other changes bring none.
    expect(driver.callsOf('NodePublishVolume').length).toBeLessThanOrEqual(2);
  });

  it('do not keep a pod that is deleted while a call is under way that then fails', async () => {
    const failed = Promise.withResolvers<void>();
    const clock = createFakeClock();
    const passing = setInterval(() => void clock.advance(50), 50);
    driver.on('NodePublishVolume', async () => {
      // From here on its time stands still: nobody looks again for having waited long enough.
      clearInterval(passing);
      await failed.promise;
      throw rpcError('Internal', 'no luck');
    });
    rig.startKubelet({ clock });
    await rig.register();
    await createVolumeAndPod();
    await rig.attach(handle);
    await vi.waitFor(() => expect(driver.callsOf('NodePublishVolume')).toHaveLength(1), { timeout: 10_000 });
    await cluster.client.delete(pods, { namespace: 'default', name: 'app' });
    // A second pod that comes and goes proves that the kubelet has seen the first one go.
    await createPod('other', '');
    await vi.waitFor(async () => expect(await podPhase('other')).toBe('Running'), { timeout: 15_000 });
    failed.resolve();
    await cluster.client.delete(pods, { namespace: 'default', name: 'other' });
    await isPodGone();
  });

  it('are grown on the node when the volume has become larger than the claim says', async () => {
    driver.on('NodeExpandVolume', async () => ({ capacityBytes: 2n * 1024n ** 3n }));
    rig.startKubelet();
    await rig.register();
    await createVolumeAndPod();
    await rig.attach(handle);
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
    rig.startKubelet();
    await rig.register();
    await createVolumeAndPod();
    await rig.attach(handle);
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
    rig.startKubelet();
    await rig.register();
    await createVolumeAndPod();
    await rig.attach(handle);
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
    await rig.attach(handle);
    await vi.waitFor(async () => expect((await readStatus())?.capacity).toEqual({ storage: '2Gi' }), {
      timeout: 10_000,
    });
    expect(driver.callsOf('NodeExpandVolume')).toHaveLength(2);
  });

  it('of a pod deleted while no kubelet ran are taken down by the next one', async () => {
    const runtime = createMemoryRuntime();
    const stop = rig.startKubelet({ runtime });
    await rig.register();
    await createVolumeAndPod();
    await rig.attach(handle);
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

    rig.startKubelet({ runtime });
    await vi.waitFor(() => expect(methods()).toEqual(['NodeUnpublishVolume', 'NodeUnstageVolume']), {
      timeout: 15_000,
    });
    await vi.waitFor(() => expect(readFile(record)).rejects.toThrow(/ENOENT/), { timeout: 10_000 });
  });
});
