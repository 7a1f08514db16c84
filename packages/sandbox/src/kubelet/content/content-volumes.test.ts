import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger } from '@holdfast/core';
import { createFakeClock } from '@holdfast/core/testing';
import { events, type Pod, pods } from '@holdfast/kube';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type KubeletRig, startKubeletRig } from '../../testing/kubelet-rig.ts';
import { createPaths } from '../paths.ts';
import { createContentVolumes } from './content-volumes.ts';

let rig: KubeletRig;
beforeEach(async () => {
  rig = await startKubeletRig();
  await rig.cluster.apply(`
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { color: blue, size: big }
---
apiVersion: v1
kind: Secret
metadata: { name: key }
stringData: { password: open sesame }
`);
});
afterEach(() => rig.stop());

async function createPod(volume: string): Promise<void> {
  await rig.cluster.apply(`
apiVersion: v1
kind: Pod
metadata: { name: app, labels: { tier: web, app: shop } }
spec:
  nodeName: ${rig.nodeName}
  terminationGracePeriodSeconds: 1
  containers: [{ name: main, image: app, command: [app], volumeMounts: [{ name: files, mountPath: /files }] }]
  volumes: [${volume}]
`);
}

const pod = (): Promise<Pod> => rig.cluster.client.get(pods, { namespace: 'default', name: 'app' });
const isRunning = () =>
  vi.waitFor(async () => expect((await pod()).status?.phase).toBe('Running'), { timeout: 15_000 });
const told = (text: string) =>
  vi.waitFor(
    async () => {
      const { items } = await rig.cluster.client.list(events, { namespace: 'default' });
      expect(items.filter(({ reason }) => reason === 'FailedMount').map(({ message }) => message)).toContainEqual(
        expect.stringContaining(text),
      );
    },
    { timeout: 15_000 },
  );
const folder = async (plugin: string) =>
  join(rig.rootDir, 'pods', (await pod()).metadata.uid, 'volumes', `kubernetes.io~${plugin}`, 'files');

describe('a volume that kubelet writes', () => {
  it('has what an API server gives every pod: a token, the authority, the namespace', async () => {
    await rig.cluster.apply(`
apiVersion: v1
kind: ConfigMap
metadata: { name: kube-root-ca.crt }
data: { ca.crt: the authority }
`);
    rig.startKubelet();
    await createPod(`{ name: files, projected: { defaultMode: 420, sources: [
      { serviceAccountToken: { path: token, expirationSeconds: 3607 } },
      { configMap: { name: kube-root-ca.crt, items: [{ key: ca.crt, path: ca.crt }] } },
      { downwardAPI: { items: [{ path: namespace, fieldRef: { apiVersion: v1, fieldPath: metadata.namespace } }] } }] } }`);
    await isRunning();
    const dir = await folder('projected');
    expect(await readFile(join(dir, 'ca.crt'), 'utf8')).toBe('the authority');
    expect(await readFile(join(dir, 'namespace'), 'utf8')).toBe('default');
    const claims = (await readFile(join(dir, 'token'), 'utf8')).split('.')[1] ?? '';
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      sub: 'system:serviceaccount:default:default',
      'kubernetes.io': { pod: { name: 'app', uid: (await pod()).metadata.uid } },
    });
    await rig.cluster.client.delete(pods, { namespace: 'default', name: 'app' });
    await vi.waitFor(async () => expect(await readdir(join(rig.rootDir, 'pods'))).toEqual([]), { timeout: 15_000 });
  });

  it('has the keys of a Secret with their modes, and fields of the pod', async () => {
    rig.startKubelet();
    await createPod(`{ name: files, projected: { sources: [
      { secret: { name: key, items: [{ key: password, path: deep/er/pass, mode: 256 }] } },
      { secret: { name: absent, optional: true } },
      { configMap: { name: settings } },
      { downwardAPI: { items: [{ path: labels, fieldRef: { fieldPath: metadata.labels } }] } }] } }`);
    await isRunning();
    const dir = await folder('projected');
    expect(await readFile(join(dir, 'deep/er/pass'), 'utf8')).toBe('open sesame');
    expect((await stat(join(dir, 'deep/er/pass'))).mode & 0o777).toBe(0o400);
    expect(await readFile(join(dir, 'color'), 'utf8')).toBe('blue');
    expect(await readFile(join(dir, 'labels'), 'utf8')).toBe('app="shop"\ntier="web"');
  });

  it('keeps its pod waiting, and says so, until what it is made of is there', async () => {
    rig.startKubelet();
    await createPod('{ name: files, configMap: { name: late } }');
    await told('MountVolume.SetUp failed for volume "files" : configmap "late" not found');
    await rig.cluster.apply('{ apiVersion: v1, kind: ConfigMap, metadata: { name: late }, data: { a: b } }');
    await isRunning();
    expect(await readFile(join(await folder('configmap'), 'a'), 'utf8')).toBe('b');
  });

  it('of a kind that is not supported is told on the pod', async () => {
    rig.startKubelet();
    await createPod('{ name: files, nfs: { server: far, path: / } }');
    await told('volumes of type nfs are not supported; use a claim');
  });
});

it('a token is written anew after four fifths of its life, all files at once', async () => {
  const clock = createFakeClock(Date.now());
  const { client } = rig.cluster;
  const paths = createPaths(rig.rootDir);
  const content = createContentVolumes({ client, paths, log: silentLogger, clock });
  await createPod('{ name: files, emptyDir: {} }');
  const volume = {
    plugin: 'kubernetes.io~projected',
    defaultMode: 0o644,
    sources: [{ kind: 'serviceAccountToken', path: 'token', audience: 'vault', expirationSeconds: 1_000 }],
  } as const;
  const { signal } = new AbortController();
  const renew = async () => content.refresh(await pod(), 'files', volume, signal);
  const dir = await folder('projected');
  const current = async () => (await readdir(dir)).filter((name) => name.startsWith('..') && name !== '..data');
  // The server's clock is not this one, so the remaining life is short of the whole by the time that passes meanwhile.
  const dueMs = (await renew()) ?? 0;
  expect(dueMs).toBeGreaterThan(700_000);
  expect(dueMs).toBeLessThanOrEqual(800_000);
  const first = await current();
  expect(first).toHaveLength(1);
  await clock.advance(dueMs - 1_000);
  expect(await renew()).toBe(1_000);
  expect(await current()).toEqual(first);
  await clock.advance(1_000);
  await renew();
  expect(await current()).toHaveLength(1);
  expect(await current()).not.toEqual(first);
  expect(await readFile(join(dir, 'token'), 'utf8')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
});
