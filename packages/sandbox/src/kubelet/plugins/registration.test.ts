import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@holdfast/core';
import { PluginInfo, RegistrationService, RegistrationStatusResponse } from '@holdfast/csi-spec';
import { type CSINode, csiNodes, isNotFound, type Node, nodes } from '@holdfast/kube';
import { bindService, rpcError, serveUnix, type UnixServer } from '@holdfast/rpc';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ScriptedDriver, startScriptedDriver } from '../../testing/scripted-driver.ts';
import { startTestCluster, type TestCluster } from '../../testing/test-cluster.ts';
import { registerNode } from '../node/node-object.ts';
import { createDriverRegistry, type DriverRegistry } from './drivers.ts';
import { runRegistration } from './registration.ts';

const name = 'scripted.csi.holdfast';
const zone = 'topology.example.com/zone';
const soon = { timeout: 20_000, interval: 20 };

let dir: string;
let cluster: TestCluster;
let driver: ScriptedDriver;
let drivers: DriverRegistry;
let plugins: UnixServer[];
let ending: AbortController;
let kubelet: Promise<void>;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'holdfast-kubelet-'));
  await mkdir(join(dir, 'registry'));
  cluster = await startTestCluster();
  driver = await startScriptedDriver({ name, nodeId: 'id-1', topology: { [zone]: 'a' } });
  plugins = [];
  ending = new AbortController();
  kubelet = Promise.resolve();
  const facts = { nodeName: 'node-a', labels: { tier: 'fast' }, httpPort: 4711, ephemeralBytes: 1024n };
  await registerNode(cluster.client, facts, 0, ending.signal);
});

afterEach(async () => {
  await endKubelet();
  await Promise.all(plugins.map((plugin) => plugin.stop(0)));
  await driver.stop();
  await cluster.stop();
  await rm(dir, { recursive: true, force: true });
});

async function startKubelet(): Promise<void> {
  const client = await cluster.createClient('kubelet/0');
  ending = new AbortController();
  drivers = createDriverRegistry({ log: silentLogger });
  const node = () => client.get(nodes, { name: 'node-a' });
  const deps = { client, drivers, pluginsRegistry: join(dir, 'registry'), node, log: silentLogger };
  kubelet = runRegistration(deps, ending.signal);
  kubelet.catch(() => undefined);
}

async function endKubelet(): Promise<void> {
  ending.abort(new Error('the test is over'));
  await kubelet.catch((error: unknown) => {
    if (!ending.signal.aborted) {
      throw error;
    }
  });
}

/** A registrar's socket; returns what it was told, oldest first. */
async function startPlugin(over: Partial<PluginInfo> = {}, file = `${name}-reg.sock`) {
  const heard: { readonly pluginRegistered: boolean; readonly error: string }[] = [];
  const info = { type: 'CSIPlugin', name, endpoint: driver.socketPath, supportedVersions: ['1.0.0'], ...over };
  const registration = bindService(RegistrationService, {
    getInfo: async () => PluginInfo.fromPartial(info),
    notifyRegistrationStatus: async (status) => {
      heard.push({ pluginRegistered: status.pluginRegistered, error: status.error });
      return RegistrationStatusResponse.fromPartial({});
    },
  });
  const address = join(dir, 'registry', file);
  const server = await serveUnix({ address, services: [registration], log: silentLogger });
  plugins.push(server);
  return { heard, server };
}

async function csiNode(): Promise<CSINode | undefined> {
  try {
    return await cluster.client.get(csiNodes, { name: 'node-a' });
  } catch (error) {
    if (isNotFound(error)) {
      return undefined;
    }
    throw error;
  }
}

const node = (): Promise<Node> => cluster.client.get(nodes, { name: 'node-a' });
const entries = async () => (await csiNode())?.spec.drivers ?? [];
const writes = () => cluster.requests.filter(({ method, userAgent }) => method !== 'GET' && userAgent === 'kubelet/0');

describe('a driver that registers', () => {
  it('is entered in CSINode, its topology on the node, and is told so', async () => {
    driver.on('NodeGetInfo', async () => ({
      nodeId: 'id-1',
      maxVolumesPerNode: 7n,
      accessibleTopology: { segments: { [zone]: 'a', 'topology.example.com/rack': 'r1' } },
    }));
    await startKubelet();
    const { heard } = await startPlugin();
    await vi.waitFor(() => expect(heard).toEqual([{ pluginRegistered: true, error: '' }]), soon);

    const topologyKeys = ['topology.example.com/rack', zone];
    expect(await entries()).toEqual([{ name, nodeID: 'id-1', topologyKeys, allocatable: { count: 7 } }]);
    const { metadata } = await node();
    expect(metadata.labels).toMatchObject({ [zone]: 'a', 'topology.example.com/rack': 'r1', tier: 'fast' });
    expect((await csiNode())?.metadata.ownerReferences).toEqual([
      { apiVersion: 'v1', kind: 'Node', name: 'node-a', uid: metadata.uid },
    ]);
    expect(drivers.get(name)?.endpoint).toBe(driver.socketPath);
    expect([...(drivers.get(name)?.capabilities ?? [])]).toContain('STAGE_UNSTAGE_VOLUME');
  });

  it('sets no limit when it answers 0', async () => {
    await startKubelet();
    const { heard } = await startPlugin();
    await vi.waitFor(() => expect(heard).toHaveLength(1), soon);
    expect(await entries()).toEqual([{ name, nodeID: 'id-1', topologyKeys: [zone] }]);
  });

  it('is found again by a kubelet that starts later, which has nothing to write', async () => {
    const { heard } = await startPlugin();
    await startKubelet();
    await vi.waitFor(() => expect(heard).toHaveLength(1), soon);
    await endKubelet();
    cluster.requests.length = 0;
    await startKubelet();
    await vi.waitFor(() => expect(heard).toHaveLength(2), soon);
    expect(heard[1]).toEqual({ pluginRegistered: true, error: '' });
    expect(drivers.get(name)).toBeDefined();
    expect(writes()).toEqual([]);
  });

  it('leaves the entries of others alone, also when they are written at the same moment', async () => {
    await startKubelet();
    await startPlugin();
    await vi.waitFor(async () => expect(await entries()).toHaveLength(1), soon);
    let isFirst = true;
    cluster.intercept(({ method, resource }) => {
      if (method === 'PATCH' && resource === 'csinodes' && isFirst) {
        isFirst = false;
        return cluster.client
          .patch(csiNodes, { name: 'node-a' }, { kind: 'merge', body: { metadata: { labels: { touched: 'yes' } } } })
          .then(() => undefined);
      }
      return undefined;
    });
    const second = await startPlugin({ name: 'other.csi.holdfast' }, 'other-reg.sock');
    await vi.waitFor(() => expect(second.heard).toHaveLength(1), soon);
    expect(second.heard).toEqual([{ pluginRegistered: true, error: '' }]);
    expect((await entries()).map((entry) => entry.name)).toEqual([name, 'other.csi.holdfast']);
    expect((await csiNode())?.metadata.labels).toEqual({ touched: 'yes' });
  });

  it('with a new node id replaces its old entry', async () => {
    await startKubelet();
    const { server } = await startPlugin();
    await vi.waitFor(async () => expect(await entries()).toHaveLength(1), soon);
    driver.on('NodeGetInfo', async () => ({ nodeId: 'id-2', maxVolumesPerNode: 0n, accessibleTopology: undefined }));
    await server.stop(0);
    await startPlugin();
    // An empty list of this kind is served as null.
    const seen = async () => (await entries()).map((entry) => ({ ...entry, topologyKeys: entry.topologyKeys ?? [] }));
    await vi.waitFor(async () => expect(await seen()).toEqual([{ name, nodeID: 'id-2', topologyKeys: [] }]), soon);
  });

  it('is forgotten when its socket goes', async () => {
    await startKubelet();
    const { server } = await startPlugin();
    await vi.waitFor(() => expect(drivers.get(name)).toBeDefined(), soon);
    await server.stop(0);
    await vi.waitFor(async () => expect(await entries()).toEqual([]), soon);
    expect(drivers.get(name)).toBeUndefined();
    expect(await csiNode()).toBeDefined();
  });

  it('may have its socket in a folder, but not hidden, nor be a plain file', async () => {
    await startKubelet();
    await writeFile(join(dir, 'registry', 'plain-reg.sock'), '');
    const hidden = await startPlugin({ name: 'hidden.csi.holdfast' }, '.hidden-reg.sock');
    await mkdir(join(dir, 'registry', 'sub'));
    const { heard } = await startPlugin({}, `sub/${name}.sock`);
    await vi.waitFor(() => expect(heard).toHaveLength(1), soon);
    expect(hidden.heard).toEqual([]);
    expect(drivers.names()).toEqual([name]);
  });
});

describe('a driver that cannot be registered', () => {
  it.each<[string, Partial<PluginInfo>, RegExp]>([
    ['of another type', { type: 'DRAPlugin' }, /type "DRAPlugin" is not supported/],
    ['without a name', { name: '' }, /has no name/],
    ['of an old version', { supportedVersions: ['0.3.0'] }, /\["0\.3\.0"\] is a 1\.x version/],
    ['of no version', { supportedVersions: [] }, /\[\] is a 1\.x version/],
  ])('is told why: one %s', async (_, info, message) => {
    await startKubelet();
    const { heard } = await startPlugin(info);
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(0), soon);
    expect(heard[0]).toEqual({ pluginRegistered: false, error: expect.stringMatching(message) });
    expect(drivers.names()).toEqual([]);
    expect(await csiNode()).toBeUndefined();
    expect(driver.calls).toEqual([]);
  });

  it.each<[string, { nodeId: string; maxVolumesPerNode: bigint }, RegExp]>([
    ['an empty node id', { nodeId: '', maxVolumesPerNode: 0n }, /node id that is empty/],
    ['a node id of 300 bytes', { nodeId: 'x'.repeat(300), maxVolumesPerNode: 0n }, /longer than 256 bytes/],
    ['a limit below 0', { nodeId: 'id', maxVolumesPerNode: -1n }, /max_volumes_per_node below 0/],
  ])('is told why: one that answers %s', async (_, info, message) => {
    driver.on('NodeGetInfo', async () => ({ ...info, accessibleTopology: undefined }));
    await startKubelet();
    const { heard } = await startPlugin();
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(0), soon);
    expect(heard[0]).toEqual({ pluginRegistered: false, error: expect.stringMatching(message) });
    expect(await entries()).toEqual([]);
  });

  it('does not move the node to another zone', async () => {
    await cluster.client.patch(
      nodes,
      { name: 'node-a' },
      { kind: 'merge', body: { metadata: { labels: { [zone]: 'b' } } } },
    );
    await startKubelet();
    const { heard } = await startPlugin();
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(0), soon);
    expect(heard[0]?.error).toBe(
      `detected topology value collision: driver reported "${zone}":"a" but existing label is "${zone}":"b"`,
    );
    expect(await entries()).toEqual([]);
  });

  it('is tried again until it can', async () => {
    const repair = driver.on('NodeGetInfo', async () => {
      throw rpcError('Unavailable', 'the disk shelf is waking up');
    });
    await startKubelet();
    const { heard } = await startPlugin();
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(0), soon);
    expect(heard[0]).toEqual({
      pluginRegistered: false,
      error: expect.stringContaining('the disk shelf is waking up'),
    });
    repair();
    await vi.waitFor(() => expect(heard.at(-1)?.pluginRegistered).toBe(true), soon);
    expect(drivers.get(name)).toBeDefined();
  });

  it('does not take over the name of one that is there', async () => {
    await startKubelet();
    const first = await startPlugin();
    await vi.waitFor(() => expect(first.heard).toHaveLength(1), soon);
    const second = await startPlugin({}, 'second-reg.sock');
    await vi.waitFor(() => expect(second.heard.length).toBeGreaterThan(0), soon);
    expect(second.heard[0]?.error).toContain(`${name} is registered already`);
    await first.server.stop(0);
    await vi.waitFor(() => expect(second.heard.at(-1)?.pluginRegistered).toBe(true), soon);
    await vi.waitFor(async () => expect(await entries()).toHaveLength(1), soon);
    expect(drivers.get(name)).toBeDefined();
  });

  it('is entered once the API answers again', async () => {
    let failures = 0;
    cluster.intercept(({ resource, method }) => {
      if (resource === 'csinodes' && method !== 'GET' && failures < 2) {
        failures += 1;
        return { status: 500, body: { kind: 'Status', status: 'Failure', code: 500, message: 'etcd is away' } };
      }
      return undefined;
    });
    await startKubelet();
    const { heard } = await startPlugin();
    await vi.waitFor(() => expect(heard.at(-1)?.pluginRegistered).toBe(true), soon);
    expect(await entries()).toHaveLength(1);
  });
});

describe('the Node', () => {
  it('says where the kubelet is and that it is ready, and keeps what others put there', async () => {
    const client = cluster.client;
    const status = { volumesAttached: [{ name: 'v', devicePath: '' }] };
    await client.patch(nodes, { name: 'node-a' }, { kind: 'merge', body: { status } }, { subresource: 'status' });
    await client.patch(nodes, { name: 'node-a' }, { kind: 'merge', body: { metadata: { labels: { foreign: 'x' } } } });
    const facts = { nodeName: 'node-a', labels: { tier: 'slow' }, httpPort: 815, ephemeralBytes: 1024n };
    await registerNode(client, facts, 1_000, ending.signal);
    const seen = await node();
    expect(seen.metadata.labels).toMatchObject({ foreign: 'x', tier: 'slow', 'kubernetes.io/hostname': 'node-a' });
    expect(seen.status).toMatchObject({
      ...status,
      daemonEndpoints: { kubeletEndpoint: { Port: 815 } },
      addresses: expect.arrayContaining([{ type: 'Hostname', address: 'node-a' }]),
      conditions: expect.arrayContaining([expect.objectContaining({ type: 'Ready', status: 'True' })]),
    });
    expect(Number(seen.status?.capacity?.['pods'])).toBeGreaterThan(0);
  });
});
