import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Event,
  events,
  isNotFound,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
} from '@holdfast/kube';
import { startTestCluster, type TestCluster } from '@holdfast/sandbox/testing';
import { type RunningProgram, spawnProgram } from '@holdfast/sidecar/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

const DRIVER = 'dir.csi.holdfast';
const NODE_KEY = 'topology.csi.holdfast/node';
const soon = { timeout: 25_000, interval: 50 };

const manifests = `
apiVersion: v1
kind: Node
metadata: { name: node-a, labels: { ${NODE_KEY}: node-a } }
---
apiVersion: storage.k8s.io/v1
kind: CSINode
metadata: { name: node-a }
spec: { drivers: [{ name: ${DRIVER}, nodeID: node-a, topologyKeys: [${NODE_KEY}] }] }
---
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: { name: ${DRIVER} }
spec: { attachRequired: false }
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: plain }
provisioner: ${DRIVER}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: misspelt }
provisioner: ${DRIVER}
parameters: { speeed: fast }
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: locked }
provisioner: ${DRIVER}
parameters:
  csi.storage.k8s.io/provisioner-secret-name: pool-key
  csi.storage.k8s.io/provisioner-secret-namespace: default
`;

let dir: string;
let cluster: TestCluster;
const programs: RunningProgram[] = [];

const program = (name: string, ...args: string[]): RunningProgram => {
  const bin = join(import.meta.dirname, '..', '..', name, 'src', 'bin.ts');
  const started = spawnProgram(bin, args, { KUBECONFIG: '', CSI_ENDPOINT: '' });
  programs.push(started);
  return started;
};

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hf-bad-'));
  cluster = await startTestCluster({ loops: true });
  await cluster.apply(manifests);
  const socket = join(dir, 'csi.sock');
  program('driver', '--backend=dir', '--node-id=node-a', `--endpoint=${socket}`, `--pool-dir=${join(dir, 'pool')}`);
  // Short waits, so that what is tried again is seen to be told again.
  const pace = ['--retry-interval-start=50ms', '--retry-interval-max=1s'];
  program('external-provisioner', `--csi-address=${socket}`, `--kubeconfig=${cluster.kubeconfigPath}`, ...pace);
}, 60_000);

afterAll(async () => {
  for (const each of programs) each.kill('SIGTERM');
  const exitCodes = await Promise.all(programs.map((each) => each.exitCode));
  await cluster.stop();
  await rm(dir, { recursive: true, force: true });
  // The provisioner may see the driver go before it goes itself.
  expect(exitCodes[0]).toBe(0);
});

function createClaim(name: string, storageClassName: string, storage: string): Promise<PersistentVolumeClaim> {
  return cluster.client.create(persistentVolumeClaims, {
    metadata: { name, namespace: 'default' },
    spec: { storageClassName, accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
  });
}

async function warningsOn(claimName: string): Promise<Event[]> {
  const { items } = await cluster.client.list(events, { namespace: 'default' });
  return items.filter(({ involvedObject, type }) => involvedObject.name === claimName && type === 'Warning');
}

const bad: [claim: string, className: string, size: string, says: RegExp, isTriedAgain: boolean][] = [
  ['beyond-int64', 'plain', '9Ei', /spec\.resources\.requests\.storage is "9Ei": .*; ask for a size between/, false],
  ['unit-forgotten', 'plain', '1.5', /storage is "1500m", 1\.5 bytes: its unit is missing, for example 1\.5Gi/, false],
  [
    'misspelt',
    'misspelt',
    '1Mi',
    /InvalidArgument.* unknown class parameter "speeed": remove it from the StorageClass, .*the next try is in 1 s/,
    true,
  ],
  ['locked', 'locked', '1Mi', /Secret "?default\/pool-key"?.* does not exist: create it/, true],
];

it('bad claims are each told once what is wrong, a good one beside them is bound, and nothing is left of any', {
  timeout: 90_000,
}, async () => {
  // The API server itself refuses this one, so there is no claim that could carry an event.
  await expect(createClaim('zero', 'plain', '0')).rejects.toThrow(/spec\.resources\[storage\].*greater than zero/);
  for (const [name, className, size] of bad) await createClaim(name, className, size);
  await createClaim('good', 'plain', '1Mi');

  await vi.waitFor(async () => {
    const good = await cluster.client.get(persistentVolumeClaims, { name: 'good', namespace: 'default' });
    expect(good.status?.phase).toBe('Bound');
  }, soon);
  for (const [name, className, , says, isTriedAgain] of bad) {
    const [warning] = await vi.waitFor(async () => {
      const told = await warningsOn(name);
      expect(told[0]?.count ?? 0).toBeGreaterThanOrEqual(isTriedAgain ? 3 : 1);
      return told;
    }, soon);
    expect(warning).toMatchObject({ reason: 'ProvisioningFailed', involvedObject: { kind: 'PersistentVolumeClaim' } });
    expect(warning?.message).toContain(`StorageClass "${className}"`);
    expect(warning?.message).toMatch(says);
  }
  for (const [name] of bad) expect(await warningsOn(name), name).toHaveLength(1);
  expect(await warningsOn('good')).toEqual([]);
  expect((await cluster.client.list(persistentVolumes)).items).toHaveLength(1);
  expect(await volumesInPool()).toHaveLength(2);

  for (const name of [...bad.map(([claim]) => claim), 'good'])
    await cluster.client.delete(persistentVolumeClaims, { name, namespace: 'default' });
  await vi.waitFor(async () => {
    expect((await cluster.client.list(persistentVolumeClaims)).items).toEqual([]);
    expect((await cluster.client.list(persistentVolumes)).items).toEqual([]);
  }, soon);
  expect(await volumesInPool()).toEqual([]);
  await expect(cluster.client.get(persistentVolumeClaims, { name: 'zero', namespace: 'default' })).rejects.toSatisfy(
    isNotFound,
  );
});

/** A volume of this backend is a record and a folder. */
async function volumesInPool(): Promise<string[]> {
  const folders = ['volumes', 'data'].map((name) => readdir(join(dir, 'pool', name)));
  return (await Promise.all(folders)).flat();
}
