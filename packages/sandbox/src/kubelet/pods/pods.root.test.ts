import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@holdfast/core';
import { events, isNotFound, nodes, type Pod, pods } from '@holdfast/kube';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTestCluster, type TestCluster } from '../../testing/test-cluster.ts';
import { runKubelet } from '../run.ts';
import { processesWith } from './container-fixture.ts';

type PodSpec = NonNullable<Pod['spec']>;
const nodeName = 'node-a';
const soon = { timeout: 25_000, interval: 30 };

let rootDir: string;
let cluster: TestCluster;
let stopKubelet: () => Promise<void>;

beforeEach(async () => {
  rootDir = await mkdtemp(join(tmpdir(), 'holdfast-kubelet-'));
  cluster = await startTestCluster();
  startKubelet();
});

afterEach(async () => {
  for (const { metadata } of (await cluster.client.list(pods)).items) {
    await cluster.client.delete(pods, ref(metadata.name), { gracePeriodSeconds: 1 });
  }
  await vi.waitFor(async () => expect((await cluster.client.list(pods)).items).toEqual([]), soon);
  await stopKubelet();
  await cluster.stop();
  await rm(rootDir, { recursive: true });
});

function startKubelet(): void {
  const stopping = new AbortController();
  const options = { client: cluster.client, nodeName, rootDir, log: silentLogger, signal: stopping.signal };
  const ended = runKubelet(options);
  stopKubelet = async () => {
    stopping.abort(new Error('the kubelet is stopped'));
    await ended;
  };
}

function ref(name: string): { name: string; namespace: string } {
  return { name, namespace: 'default' };
}

async function create(name: string, script: string, spec: Partial<PodSpec> = {}, container = {}): Promise<Pod> {
  const app = { name: 'app', image: 'busybox:1.36', command: ['sh', '-c', script], ...container };
  return cluster.client.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: ref(name),
    spec: { nodeName, restartPolicy: 'Never', containers: [app], ...spec },
  });
}

async function podIn(name: string, phase: string): Promise<Pod> {
  return vi.waitFor(async () => {
    const pod = await cluster.client.get(pods, ref(name));
    expect(pod.status?.phase).toBe(phase);
    return pod;
  }, soon);
}

async function logs(name: string, query = ''): Promise<string> {
  const node = await cluster.client.get(nodes, { name: nodeName });
  const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port;
  return (await fetch(`http://127.0.0.1:${port}/containerLogs/default/${name}/app${query}`)).text();
}

async function isGone(name: string): Promise<boolean> {
  try {
    await cluster.client.get(pods, ref(name));
    return false;
  } catch (error) {
    return isNotFound(error);
  }
}

describe('a pod', () => {
  it('runs to its end and says how it ended', async () => {
    await create('ok', 'echo one; echo two');
    const { status } = await podIn('ok', 'Succeeded');
    expect(status?.containerStatuses?.[0]).toMatchObject({
      name: 'app',
      image: 'busybox:1.36',
      ready: false,
      restartCount: 0,
      state: { terminated: { exitCode: 0, reason: 'Completed' } },
    });
    expect(await logs('ok')).toBe('one\ntwo\n');
    expect(await logs('ok', '?tailLines=1')).toBe('two\n');

    await create('bad', 'exit 3');
    const failed = await podIn('bad', 'Failed');
    expect(failed.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
  });

  it('says once that its image is not pulled', async () => {
    await create('again', 'exit 1', { restartPolicy: 'OnFailure' });
    await vi.waitFor(async () => {
      const pod = await cluster.client.get(pods, ref('again'));
      expect(pod.status?.containerStatuses?.[0]?.restartCount).toBeGreaterThan(1);
    }, soon);
    await vi.waitFor(async () => {
      const seen = (await cluster.client.list(events, { namespace: 'default' })).items;
      expect(seen.filter(({ reason }) => reason === 'Started').length).toBeGreaterThan(0);
      const told = seen.filter(({ reason }) => reason === 'ImageNotPulled');
      expect(told).toHaveLength(1);
      expect(told[0]).toMatchObject({
        type: 'Normal',
        count: 1,
        message: expect.stringContaining('images are not pulled'),
      });
    }, soon);
  });

  it('is ready while it runs, and goes when it is deleted, with all its processes', async () => {
    await create('up', 'sleep 98765.4 & trap "sleep 98765.5 & exit 0" TERM; echo up; wait');
    const pod = await podIn('up', 'Running');
    const conditions = Object.fromEntries((pod.status?.conditions ?? []).map(({ type, status }) => [type, status]));
    expect(conditions).toEqual({ PodScheduled: 'True', Initialized: 'True', ContainersReady: 'True', Ready: 'True' });
    await vi.waitFor(() => expect(processesWith('98765.4')).toHaveLength(1), soon);
    await cluster.client.delete(pods, ref('up'));
    await vi.waitFor(async () => expect(await isGone('up')).toBe(true), soon);
    expect([...processesWith('98765.4'), ...processesWith('98765.5')]).toEqual([]);
  });

  it('is killed when its grace is over', async () => {
    await create('deaf', 'trap "" TERM; echo up; exec sleep 98765.6');
    await vi.waitFor(async () => expect(await logs('deaf')).toContain('up'), soon);
    await cluster.client.delete(pods, ref('deaf'), { gracePeriodSeconds: 1 });
    await vi.waitFor(async () => expect(await isGone('deaf')).toBe(true), soon);
    expect(processesWith('98765.6')).toEqual([]);
  });

  it('shares an emptyDir among its containers, in order', async () => {
    const volumeMounts = [{ name: 'scratch', mountPath: '/scratch' }];
    const first = { name: 'first', image: 'x', command: ['sh', '-c', 'echo hello > /scratch/file'], volumeMounts };
    const spec = { initContainers: [first], volumes: [{ name: 'scratch', emptyDir: {} }] };
    await create('both', 'cat /scratch/file; env | grep NODE', spec, {
      volumeMounts: [{ ...volumeMounts[0], readOnly: true }],
      env: [{ name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
    });
    await podIn('both', 'Succeeded');
    expect(await logs('both')).toBe('hello\nNODE=node-a\n');
  });

  it('without a command waits, and says what to write', async () => {
    await create('image', '', {}, { command: [] });
    await vi.waitFor(async () => {
      const pod = await cluster.client.get(pods, ref('image'));
      expect(pod.status?.containerStatuses?.[0]?.state?.waiting).toMatchObject({
        reason: 'CreateContainerConfigError',
        message: expect.stringContaining('spec.containers[].command'),
      });
    }, soon);
  });

  it('runs on while there is no kubelet, and the next one tells how it ended', async () => {
    const hostDir = join(rootDir, 'signals');
    const spec = { volumes: [{ name: 'signals', hostPath: { path: hostDir, type: 'DirectoryOrCreate' } }] };
    await mkdir(hostDir);
    const script = 'while [ ! -e /signals/go ]; do sleep 0.05; done; echo done > /signals/answer; exit 6';
    const volumeMounts = [{ name: 'signals', mountPath: '/signals' }];
    await create('steady', script, spec, { volumeMounts });
    const { status } = await podIn('steady', 'Running');
    await stopKubelet();
    await writeFile(join(hostDir, 'go'), '');
    await vi.waitFor(async () => expect(await readFile(join(hostDir, 'answer'), 'utf8')).toBe('done\n'), soon);
    startKubelet();
    const after = await podIn('steady', 'Failed');
    expect(after.status?.containerStatuses?.[0]).toMatchObject({
      restartCount: 0,
      containerID: status?.containerStatuses?.[0]?.containerID,
      state: { terminated: { exitCode: 6 } },
    });
  });
});
