import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { events, nodes, persistentVolumeClaims, persistentVolumes, pods, secrets } from '@holdfast/kube';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createMemoryRuntime, type KubeletRig, startKubeletRig } from '../../testing/kubelet-rig.ts';

const handle = 'vol-1';
const inDefault = (name: string) => ({ namespace: 'default', name });
const soon = { timeout: 15_000 };

let rig: KubeletRig;
beforeEach(async () => {
  rig = await startKubeletRig();
});
afterEach(() => rig.stop());

async function createVolume(options: { mode?: 'Block' | 'Filesystem'; csi?: string } = {}): Promise<void> {
  const mode = options.mode ?? 'Filesystem';
  await rig.cluster.apply(`
apiVersion: v1
kind: PersistentVolume
metadata: { name: pv-1 }
spec:
  capacity: { storage: 1Gi }
  volumeMode: ${mode}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  claimRef: { namespace: default, name: data }
  csi: { driver: ${rig.driver.name}, volumeHandle: ${handle}${options.csi ?? ''} }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec:
  storageClassName: ""
  volumeName: pv-1
  volumeMode: ${mode}
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: 1Gi } }
`);
}

async function createPod(name: string, use: 'mount' | 'device' | 'none', spec = ''): Promise<string> {
  const uses = {
    mount: 'volumeMounts: [{ name: data, mountPath: /data }]',
    device: 'volumeDevices: [{ name: data, devicePath: /dev/data }]',
    none: '',
  };
  await rig.cluster.apply(`
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
  restartPolicy: Never
  ${spec}
  containers:
    - { name: main, image: app, command: [app], ${uses[use]} }
  volumes: ${use === 'none' ? '[]' : '[{ name: data, persistentVolumeClaim: { claimName: data } }]'}
`);
  return (await rig.cluster.client.get(pods, inDefault(name))).metadata.uid;
}

const waitForPhase = (name: string, phase: string) =>
  vi.waitFor(async () => expect((await rig.cluster.client.get(pods, inDefault(name))).status?.phase).toBe(phase), soon);
const podsAreGone = () => vi.waitFor(async () => expect((await rig.cluster.client.list(pods)).items).toEqual([]), soon);
const messagesOn = async (name: string, reason: string) =>
  (await rig.cluster.client.list(events, { namespace: 'default' })).items
    .filter((event) => event.involvedObject.name === name && event.reason === reason)
    .map(({ message }) => message);
const volumesInUse = async () =>
  (await rig.cluster.client.get(nodes, { name: rig.nodeName })).status?.volumesInUse ?? [];

describe('a block volume', () => {
  it('is published as a device, and leaves no folder behind', async () => {
    rig.startKubelet();
    await rig.register();
    await createVolume({ mode: 'Block' });
    const uid = await createPod('app', 'device');
    await rig.attach(handle);
    await waitForPhase('app', 'Running');
    const devices = join(rig.rootDir, 'plugins/kubernetes.io/csi/volumeDevices');
    expect(rig.driver.callsOf('NodeStageVolume')[0]?.request).toMatchObject({
      stagingTargetPath: join(devices, 'staging/pv-1'),
      volumeCapability: { accessType: { $case: 'block' } },
    });
    expect(rig.driver.callsOf('NodePublishVolume')[0]?.request).toMatchObject({
      targetPath: join(devices, 'publish/pv-1', uid),
      volumeCapability: { accessType: { $case: 'block' } },
    });
    await vi.waitFor(async () => expect(await messagesOn('app', 'SuccessfulMountVolume')).toEqual([]), soon);
    await vi.waitFor(async () => expect(await messagesOn('app', 'SuccessfulMapVolume')).toHaveLength(1), soon);

    await rig.cluster.client.delete(pods, inDefault('app'));
    await podsAreGone();
    await vi.waitFor(async () => expect(await volumesInUse()).toEqual([]), soon);
    expect((await readdir(devices, { recursive: true })).toSorted()).toEqual(['publish', 'staging']);
  });
});

describe('the secrets of a volume', () => {
  const csi =
    ', nodeStageSecretRef: { name: stage, namespace: keys }, nodePublishSecretRef: { name: publish, namespace: keys }';
  const createSecret = (name: string) =>
    rig.cluster.client.create(secrets, {
      metadata: { name, namespace: 'keys' },
      data: { password: Buffer.from(`${name} word`).toString('base64') },
    });

  it('are read from their namespaces for each call, and missed by name', async () => {
    await rig.cluster.client.request('POST', '/api/v1/namespaces', { metadata: { name: 'keys' } });
    await createSecret('publish');
    rig.startKubelet();
    await rig.register();
    await createVolume({ csi });
    await createPod('app', 'mount');
    await rig.attach(handle);
    await vi.waitFor(async () => {
      expect(await messagesOn('app', 'FailedMount')).toContainEqual(
        expect.stringContaining('secret keys/stage not found: create it'),
      );
    }, soon);
    expect(rig.driver.callsOf('NodeStageVolume')).toEqual([]);
    await createSecret('stage');
    await waitForPhase('app', 'Running');
    expect(rig.driver.callsOf('NodeStageVolume')[0]?.request).toMatchObject({ secrets: { password: 'stage word' } });
    expect(rig.driver.callsOf('NodePublishVolume')[0]?.request).toMatchObject({
      secrets: { password: 'publish word' },
    });
  });
});

describe("a pod's fsGroup", () => {
  it('goes to a driver that can mount for a group', async () => {
    await rig.stop();
    rig = await startKubeletRig({ capabilities: { node: ['STAGE_UNSTAGE_VOLUME', 'VOLUME_MOUNT_GROUP'] } });
    rig.startKubelet();
    await rig.register();
    await createVolume({ csi: ', fsType: ext4' });
    await createPod('app', 'mount', 'securityContext: { fsGroup: 4321 }');
    await rig.attach(handle);
    await waitForPhase('app', 'Running');
    const volumeCapability = { accessType: { $case: 'mount', value: { volumeMountGroup: '4321', fsType: 'ext4' } } };
    expect(rig.driver.callsOf('NodeStageVolume')[0]?.request).toMatchObject({ volumeCapability });
    expect(rig.driver.callsOf('NodePublishVolume')[0]?.request).toMatchObject({ volumeCapability });
  });
});

describe('a volume that is part of its pod', () => {
  it('is neither attached nor staged, told to the driver as such, and unpublished with the pod', async () => {
    rig.startKubelet();
    await rig.register();
    const spec = { attachRequired: true, podInfoOnMount: true, volumeLifecycleModes: ['Persistent', 'Ephemeral'] };
    await rig.cluster.apply(`
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: { name: ${rig.driver.name} }
spec: ${JSON.stringify(spec)}
---
apiVersion: v1
kind: Pod
metadata: { name: app }
spec:
  terminationGracePeriodSeconds: 1
  restartPolicy: Never
  containers: [{ name: main, image: app, command: [app], volumeMounts: [{ name: data, mountPath: /data }] }]
  volumes: [{ name: data, csi: { driver: ${rig.driver.name}, volumeAttributes: { size: 1Gi } } }]
`);
    await waitForPhase('app', 'Running');
    expect(rig.driver.callsOf('NodePublishVolume')[0]?.request).toMatchObject({
      volumeId: expect.stringMatching(/^csi-[0-9a-f]{64}$/),
      stagingTargetPath: '',
      volumeContext: { size: '1Gi', 'csi.storage.k8s.io/ephemeral': 'true', 'csi.storage.k8s.io/pod.name': 'app' },
    });
    await rig.cluster.client.delete(pods, inDefault('app'));
    await podsAreGone();
    expect(rig.driver.callsOf('NodeUnpublishVolume')).toHaveLength(1);
    expect([...rig.driver.callsOf('NodeStageVolume'), ...rig.driver.callsOf('NodeUnstageVolume')]).toEqual([]);
  });
});

describe('a running pod', () => {
  it('keeps what it has mounted when its volume is removed by force, until it ends', async () => {
    rig.startKubelet();
    await rig.register();
    await createVolume();
    await createPod('app', 'mount');
    await rig.attach(handle);
    await waitForPhase('app', 'Running');
    await rig.cluster.client.delete(persistentVolumes, { name: 'pv-1' });
    const unprotected = { kind: 'merge', body: { metadata: { finalizers: null } } } as const;
    await rig.cluster.client.patch(persistentVolumes, { name: 'pv-1' }, unprotected);
    await vi.waitFor(async () => {
      expect((await rig.cluster.client.get(persistentVolumeClaims, inDefault('data'))).status?.phase).toBe('Lost');
    }, soon);
    // Another pod that comes and goes proves that the kubelet has looked around since.
    await createPod('other', 'none');
    await waitForPhase('other', 'Running');
    await rig.cluster.client.delete(pods, inDefault('other'));
    await vi.waitFor(async () => expect((await rig.cluster.client.list(pods)).items).toHaveLength(1), soon);
    expect(rig.driver.callsOf('NodeUnpublishVolume')).toEqual([]);
    expect((await rig.cluster.client.get(pods, inDefault('app'))).status?.phase).toBe('Running');

    await rig.cluster.client.delete(pods, inDefault('app'));
    await podsAreGone();
    await vi.waitFor(() => expect(rig.driver.callsOf('NodeUnstageVolume')).toHaveLength(1), soon);
    expect(rig.driver.callsOf('NodeUnpublishVolume')).toHaveLength(1);
  });

  it('keeps it while a kubelet that starts anew has yet to come round to the pod', async () => {
    const runtime = createMemoryRuntime();
    const stop = rig.startKubelet({ runtime });
    await rig.register();
    await createVolume();
    const others = Array.from({ length: 10 }, (_, index) => `before-${index}`);
    const uids = await Promise.all(others.map((name) => createPod(name, 'none')));
    await createPod('with-volume', 'mount');
    await rig.attach(handle);
    await Promise.all([...others, 'with-volume'].map((name) => waitForPhase(name, 'Running')));
    await stop();
    uids.forEach((uid) => runtime.signal(uid, 'main', 'SIGKILL'));

    // Every worker of the new kubelet is kept busy with the end of another pod.
    const released = Promise.withResolvers<void>();
    const held: string[] = [];
    rig.cluster.intercept(({ verb, resource, subresource, name = '' }) => {
      if (verb !== 'patch' || resource !== 'pods' || subresource !== 'status') {
        return undefined;
      }
      held.push(name);
      return { holdReply: released.promise };
    });
    const before = rig.verdicts.length;
    rig.startKubelet({ runtime });
    await vi.waitFor(() => expect(held.length).toBeGreaterThanOrEqual(8), soon);
    await vi.waitFor(() => expect(rig.verdicts.length).toBeGreaterThan(before), soon);
    released.resolve();
    await Promise.all(others.map((name) => waitForPhase(name, 'Succeeded')));
    await rig.cluster.client.delete(pods, inDefault('before-0'));
    await vi.waitFor(async () => expect((await rig.cluster.client.list(pods)).items).toHaveLength(10), soon);
    expect(rig.driver.callsOf('NodeUnpublishVolume')).toEqual([]);
  });
});

describe('a kubelet that cleans up as it ends', () => {
  it('ends its pods, takes their volumes down and lets go of their attachments', async () => {
    const stop = rig.startKubelet({ cleanUpOnExit: true });
    await rig.register();
    await createVolume();
    await createPod('app', 'mount');
    await rig.attach(handle);
    await waitForPhase('app', 'Running');
    expect(await volumesInUse()).toHaveLength(1);
    // An API that takes its time is waited for.
    rig.cluster.intercept(async ({ resource, verb }) => {
      if (resource === 'nodes' && verb === 'patch') {
        await setTimeout(300);
      }
      return undefined;
    });
    await stop();
    expect(rig.driver.callsOf('NodeUnpublishVolume')).toHaveLength(1);
    expect(rig.driver.callsOf('NodeUnstageVolume')).toHaveLength(1);
    expect(await readdir(join(rig.rootDir, 'pods'))).toEqual([]);
    expect(await volumesInUse()).toEqual([]);
  });

  it('leaves them running when it is not asked to', async () => {
    const stop = rig.startKubelet();
    await rig.register();
    await createVolume();
    await createPod('app', 'mount');
    await rig.attach(handle);
    await waitForPhase('app', 'Running');
    await stop();
    expect(rig.driver.callsOf('NodeUnpublishVolume')).toEqual([]);
    expect(await volumesInUse()).toHaveLength(1);
  });
});
