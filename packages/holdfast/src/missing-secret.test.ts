import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  csiNodes,
  events,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  secrets,
  volumeAttachments,
} from '@holdfast/kube';
import { startTestCluster, type TestCluster } from '@holdfast/sandbox/testing';
import { type RunningProgram, spawnProgram } from '@holdfast/sidecar/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

const DISK = 'disk.csi.holdfast';
const DIR = 'dir.csi.holdfast';
const inDefault = (name: string) => ({ name, namespace: 'default' });
const soon = { timeout: 30_000, interval: 50 };

const manifests = `
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: { name: ${DIR} }
spec: { attachRequired: false }
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: locked }
provisioner: ${DISK}
allowVolumeExpansion: true
parameters:
  csi.storage.k8s.io/controller-publish-secret-name: attach-key
  csi.storage.k8s.io/controller-publish-secret-namespace: default
  csi.storage.k8s.io/node-stage-secret-name: stage-key
  csi.storage.k8s.io/node-stage-secret-namespace: default
  csi.storage.k8s.io/controller-expand-secret-name: expand-key
  csi.storage.k8s.io/controller-expand-secret-namespace: default
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: by-hand }
spec:
  capacity: { storage: 16Mi }
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: by-hand
  csi: { driver: ${DIR}, volumeHandle: by-hand, nodePublishSecretRef: { name: publish-key, namespace: default } }
`;

let dir: string;
let cluster: TestCluster;
const programs: RunningProgram[] = [];

function program(name: string, ...args: string[]): void {
  const bin = join(import.meta.dirname, '..', '..', name, 'src', 'bin.ts');
  programs.push(spawnProgram(bin, args, { KUBECONFIG: '', CSI_ENDPOINT: '' }));
}

/** Does something while all programs run: one that ends says why, and nobody waits for what cannot come. */
async function whileAllRun(act: () => Promise<void>): Promise<void> {
  const ends = programs.map(async (each) => {
    const exitCode = await each.exitCode;
    throw new Error(`a program ended with ${exitCode}:\n${each.stderr()}`);
  });
  await Promise.race([act(), ...ends]);
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hf-key-'));
  cluster = await startTestCluster({ loops: true });
  const kubeconfig = `--kubeconfig=${cluster.kubeconfigPath}`;
  const kubeletRoot = join(dir, 'kubelet');
  // The registrars may come first, and there is nobody to start them again.
  const pluginFolder = join(kubeletRoot, 'plugins_registry');
  await mkdir(pluginFolder, { recursive: true });
  program('sandbox', 'kubelet', kubeconfig, '--node-name=node-a', `--root-dir=${kubeletRoot}`);
  for (const backend of ['disk', 'dir']) {
    const socket = join(dir, `${backend}.sock`);
    const registry = `--plugin-registration-path=${pluginFolder}`;
    program(
      'driver',
      `--backend=${backend}`,
      '--node-id=node-a',
      `--endpoint=${socket}`,
      `--pool-dir=${join(dir, backend)}`,
    );
    program('node-driver-registrar', `--csi-address=${socket}`, `--kubelet-registration-path=${socket}`, registry);
  }
  const controller = [kubeconfig, `--csi-address=${join(dir, 'disk.sock')}`, '--retry-interval-start=50ms'];
  for (const name of ['external-provisioner', 'external-attacher', 'external-resizer'])
    program(name, ...controller, '--retry-interval-max=1s');
  await cluster.apply(manifests);
  await whileAllRun(() =>
    vi.waitFor(async () => {
      const { spec } = await cluster.client.get(csiNodes, { name: 'node-a' });
      expect(spec?.drivers?.map((driver) => driver.name).toSorted()).toEqual([DIR, DISK]);
    }, soon),
  );
}, 60_000);

afterAll(async () => {
  for (const each of programs) each.kill('SIGTERM');
  await Promise.all(programs.map((each) => each.exitCode));
  await cluster.stop();
  await rm(dir, { recursive: true, force: true });
});

async function createClaim(name: string, storageClassName: string): Promise<void> {
  await cluster.client.create(persistentVolumeClaims, {
    metadata: inDefault(name),
    spec: { storageClassName, accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '16Mi' } } },
  });
  await vi.waitFor(async () => {
    expect((await cluster.client.get(persistentVolumeClaims, inDefault(name))).status?.phase).toBe('Bound');
  }, soon);
}

async function createPod(name: string, claimName: string): Promise<void> {
  await cluster.client.create(pods, {
    metadata: inDefault(name),
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image: 'none', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
    },
  });
}

const createSecret = (name: string) =>
  cluster.client.create(secrets, {
    metadata: inDefault(name),
    data: { key: Buffer.from('s3same').toString('base64') },
  });

/** Waits until a secret was told of so often, in one event object. */
async function toldOn(kind: string, name: string, reason: string, secret: string, times = 1): Promise<void> {
  await vi.waitFor(async () => {
    const { items } = await cluster.client.list(events, { namespace: 'default' });
    const told = items.filter(({ message }) => message?.includes(`default/${secret}`));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ type: 'Warning', reason, involvedObject: { kind, name } });
    expect(told[0]?.message).toMatch(/create it/);
    expect(told[0]?.count).toBeGreaterThanOrEqual(times);
  }, soon);
}

it('a missing secret is told where its user looks, awaited, and leaves nothing behind', {
  timeout: 120_000,
}, async () => {
  await whileAllRun(missSecrets);
  expect(programs.map((each) => each.stderr()).join('')).not.toContain('s3same');
});

async function missSecrets(): Promise<void> {
  await createClaim('data', 'locked');
  const body = { spec: { resources: { requests: { storage: '32Mi' } } } };
  await cluster.client.patch(persistentVolumeClaims, inDefault('data'), { kind: 'merge', body });
  await toldOn('PersistentVolumeClaim', 'data', 'VolumeResizeFailed', 'expand-key');

  await createPod('writer', 'data');
  await toldOn('Pod', 'writer', 'FailedAttachVolume', 'attach-key');
  await createSecret('attach-key');
  await toldOn('Pod', 'writer', 'FailedMount', 'stage-key');
  expect((await cluster.client.list(volumeAttachments)).items[0]?.status?.attached).toBe(true);

  await createClaim('by-hand', 'by-hand');
  await createPod('reader', 'by-hand');
  await toldOn('Pod', 'reader', 'FailedMount', 'publish-key');

  await createSecret('expand-key');
  await vi.waitFor(async () => {
    const { items } = await cluster.client.list(persistentVolumes);
    expect(items.find(({ spec }) => spec?.csi?.driver === DISK)?.spec?.capacity).toEqual({ storage: '32Mi' });
  }, soon);
  // Tried again and again, it is still told in one event.
  await toldOn('Pod', 'reader', 'FailedMount', 'publish-key', 3);
  await toldOn('PersistentVolumeClaim', 'data', 'VolumeResizeFailed', 'expand-key');
  await toldOn('Pod', 'writer', 'FailedAttachVolume', 'attach-key');
  await toldOn('Pod', 'writer', 'FailedMount', 'stage-key');

  for (const name of ['writer', 'reader']) await cluster.client.delete(pods, inDefault(name));
  for (const name of ['data', 'by-hand']) await cluster.client.delete(persistentVolumeClaims, inDefault(name));
  await cluster.client.delete(persistentVolumes, { name: 'by-hand' });
  await vi.waitFor(async () => {
    expect((await cluster.client.list(pods)).items).toEqual([]);
    expect((await cluster.client.list(persistentVolumeClaims)).items).toEqual([]);
    expect((await cluster.client.list(volumeAttachments)).items).toEqual([]);
    expect((await cluster.client.list(persistentVolumes)).items).toEqual([]);
  }, soon);
  expect(await readdir(join(dir, 'disk', 'volumes'))).toEqual([]);
  expect(await readdir(join(dir, 'disk', 'images'))).toEqual([]);
}
