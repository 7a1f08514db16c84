import { openFence } from '@holdfast/control';
import { silentLogger } from '@holdfast/core';
import {
  events,
  isNotFound,
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
import { connectDriver, createMetricsRegistry, runGroup } from '@holdfast/sidecar';
import { assembleProvisioner } from '../assemble.ts';
import { provisionerFlags } from '../flags.ts';
import { annotations } from '../names.ts';

const AGENT = 'csi-provisioner/test';

/** A cluster, a driver and a provisioner between them, over HTTP and gRPC. */
export interface Rig {
  readonly cluster: TestCluster;
  readonly driver: ScriptedDriver;
  /** Starts the provisioner, with flags beside `--retry-interval-start=10ms`. */
  start(...flags: string[]): Promise<void>;
  /** Stops the provisioner as SIGTERM would. What it remembers is lost. */
  stopProvisioner(): Promise<void>;
  /** Writes the provisioner made, as `verb resource`, in order. */
  writes(): string[];
  /** Replaces the class `fast`, as an administrator must: parameters cannot be changed. */
  createClass(more?: object): Promise<void>;
  deleteClass(): Promise<void>;
  createClaim(
    name: string,
    more?: { spec?: object; annotations?: Record<string, string>; finalizers?: string[] },
  ): Promise<PersistentVolumeClaim>;
  /** Deletes a claim that no pod uses, as the user and then kube-controller-manager's protection loop do. */
  deleteClaim(name: string): Promise<void>;
  claim(name: string): Promise<PersistentVolumeClaim | undefined>;
  volume(name: string): Promise<PersistentVolume | undefined>;
  volumes(): Promise<PersistentVolume[]>;
  /** `type reason message` of the events about an object, oldest first. */
  eventsOf(name: string): Promise<string[]>;
  /** Takes a volume's object away by force. */
  deleteVolume(name: string): Promise<void>;
  /** Does what kube-controller-manager does when a bound claim is deleted. */
  release(volumeName: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startRig(options: { driver?: ScriptedDriverOptions; loops?: boolean } = {}): Promise<Rig> {
  const cluster = await startTestCluster({ loops: options.loops ?? false });
  const driver = await startScriptedDriver(options.driver);
  const { client } = cluster;
  let running: { stopping: AbortController; ended: Promise<void> } | undefined;

  async function start(...flags: string[]): Promise<void> {
    const stopping = new AbortController();
    const values = provisionerFlags.parse(['--retry-interval-start=10ms', ...flags], { syntax: 'pflag' });
    const { signal } = stopping;
    const found = await connectDriver({
      address: driver.socketPath,
      timeoutMs: values.timeoutMs,
      log: silentLogger,
      signal,
    });
    const { provisioner, caches, recorder } = assembleProvisioner({
      values,
      client: await cluster.createClient(AGENT),
      found,
      context: { log: silentLogger, registry: createMetricsRegistry(), hostname: 'host' },
    });
    const work = (groupSignal: AbortSignal) => provisioner.run(groupSignal, openFence);
    const run = async () => {
      try {
        await runGroup({ ...caches.tasks, work }, signal);
      } finally {
        await recorder.stop();
        found.connection.close();
      }
    };
    running = { stopping, ended: run() };
  }

  async function stopProvisioner(): Promise<void> {
    running?.stopping.abort(new Error('the test stops the provisioner'));
    await running?.ended;
    running = undefined;
  }

  async function maybe<T>(look: Promise<T>): Promise<T | undefined> {
    try {
      return await look;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async function deleteClass(): Promise<void> {
    await maybe(client.delete(storageClasses, { name: 'fast' }));
  }

  return {
    cluster,
    driver,
    start,
    stopProvisioner,
    writes: () =>
      cluster.requests
        .filter(({ userAgent, verb }) => userAgent === AGENT && !['get', 'list', 'watch'].includes(verb))
        .map(({ verb, resource }) => `${verb} ${resource}`),
    deleteClass,
    async createClass(more = {}) {
      await deleteClass();
      await cluster.apply({
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: 'fast' },
        provisioner: driver.name,
        ...more,
      });
    },
    createClaim: (name, more = {}) =>
      client.create(persistentVolumeClaims, {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          name,
          namespace: 'default',
          annotations: { [annotations.storageProvisioner]: driver.name, ...more.annotations },
          ...(more.finalizers ? { finalizers: more.finalizers } : {}),
        },
        spec: {
          storageClassName: 'fast',
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
          ...more.spec,
        },
      }),
    async deleteClaim(name) {
      const ref = { name, namespace: 'default' };
      await client.delete(persistentVolumeClaims, ref);
      await maybe(
        client.patch(persistentVolumeClaims, ref, { kind: 'merge', body: { metadata: { finalizers: null } } }),
      );
    },
    claim: (name) => maybe(client.get(persistentVolumeClaims, { name, namespace: 'default' })),
    volume: (name) => maybe(client.get(persistentVolumes, { name })),
    volumes: async () => (await client.list(persistentVolumes)).items,
    async eventsOf(name) {
      const { items } = await client.list(events);
      return items
        .filter(({ involvedObject }) => involvedObject.name === name)
        .map(({ type, reason, message }) => `${type} ${reason} ${message}`);
    },
    async deleteVolume(name) {
      await client.delete(persistentVolumes, { name });
      await maybe(
        client.patch(persistentVolumes, { name }, { kind: 'merge', body: { metadata: { finalizers: null } } }),
      );
    },
    async release(name) {
      await client.patch(
        persistentVolumes,
        { name },
        { kind: 'merge', body: { status: { phase: 'Released' } } },
        { subresource: 'status' },
      );
    },
    async stop() {
      await stopProvisioner();
      await driver.stop();
      await cluster.stop();
    },
  };
}
