import { createQueueMetrics, type Fence, openFence } from '@holdfast/control';
import { createRecordingLogger } from '@holdfast/core/testing';
import { ControllerService } from '@holdfast/csi-spec';
import {
  csiNodes,
  isNotFound,
  type PersistentVolume,
  persistentVolumes,
  type VolumeAttachment,
  volumeAttachments,
} from '@holdfast/kube';
import {
  type ScriptedDriver,
  type ScriptedDriverOptions,
  startScriptedDriver,
  startTestCluster,
  type TestCluster,
} from '@holdfast/sandbox/testing';
import { connectDriver, createMetricsRegistry } from '@holdfast/sidecar';
import { expect, vi } from 'vitest';
import { createCaches } from '../caches.ts';
import { type AttacherDeps, runAttacher } from '../controller.ts';
import { createCsiCalls } from '../csi-calls.ts';
import { traitsOf } from '../traits.ts';
import { DRIVER } from './objects.ts';

const USER_AGENT = 'csi-attacher/test';
type VolumeSpec = NonNullable<PersistentVolume['spec']>;

/** A real API server, a real driver on a real socket, and the attacher between them. */
export interface Rig {
  readonly cluster: TestCluster;
  readonly driver: ScriptedDriver;
  readonly log: ReturnType<typeof createRecordingLogger>;
  start(overrides?: Partial<AttacherDeps>, fence?: Fence): Promise<void>;
  /** Ends the attacher as a kill would end its work: nothing is awaited on the driver's side. */
  stopAttacher(): Promise<void>;
  addNode(name: string): Promise<void>;
  /** A volume in the driver, with its PersistentVolume. */
  addVolume(
    name: string,
    parts?: { finalizers?: string[]; spec?: Partial<VolumeSpec>; csi?: Partial<NonNullable<VolumeSpec['csi']>> },
  ): Promise<void>;
  addAttachment(name: string, volume: string, node: string): Promise<void>;
  attachment(name: string): Promise<VolumeAttachment | undefined>;
  untilAttached(name: string): Promise<VolumeAttachment>;
  /** Waits for `status.attachError` or `status.detachError` and returns its message. */
  untilError(name: string, field: 'attachError' | 'detachError'): Promise<string>;
  untilGone(name: string): Promise<void>;
  /** Writes of the attacher, as `patch volumeattachments/status`. */
  writes(): string[];
  stop(): Promise<void>;
}

export async function startRig(options: ScriptedDriverOptions = {}): Promise<Rig> {
  const cluster = await startTestCluster();
  const driver = await startScriptedDriver({ name: DRIVER, ...options });
  const log = createRecordingLogger();
  const { client } = cluster;
  const testSignal = new AbortController();
  const connection = await connectDriver({
    address: driver.socketPath,
    timeoutMs: 5000,
    log,
    signal: testSignal.signal,
  });
  let running: { stop(): Promise<void> } | undefined;

  async function start(overrides: Partial<AttacherDeps> = {}, fence: Fence = openFence): Promise<void> {
    const own = new AbortController();
    const attacherClient = await cluster.createClient(USER_AGENT);
    const traits = traitsOf(connection, '');
    const caches = createCaches({ client: attacherClient, traits, log });
    const attacher: AttacherDeps = {
      client: attacherClient,
      calls: createCsiCalls({ connection: connection.connection, timeoutMs: 5000, maxEntries: 0 }),
      caches,
      traits,
      workers: 4,
      retryIntervalStartMs: 10,
      retryIntervalMaxMs: 100,
      resyncMs: 0,
      reconcileSyncMs: 60_000,
      hasErrorCodes: true,
      log,
      metrics: createQueueMetrics(createMetricsRegistry()),
      ...overrides,
    };
    const work = Promise.all([caches.run(own.signal), runAttacher(attacher, own.signal, fence)]);
    running = {
      async stop() {
        own.abort(new Error('the attacher stops'));
        await work;
      },
    };
    await caches.synced;
  }

  async function stopAttacher(): Promise<void> {
    await running?.stop();
    running = undefined;
  }

  async function attachment(name: string): Promise<VolumeAttachment | undefined> {
    return client.get(volumeAttachments, { name }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  }

  return {
    cluster,
    driver,
    log,
    start,
    stopAttacher,
    attachment,
    async addNode(name) {
      const drivers = [{ name: DRIVER, nodeID: `id-of-${name}`, topologyKeys: [] }];
      await client.create(csiNodes, { metadata: { name }, spec: { drivers } });
    },
    async addVolume(name, { finalizers, spec, csi } = {}) {
      const mount = { fsType: '', mountFlags: [], volumeMountGroup: '' };
      await connection.connection.client(ControllerService).createVolume(
        {
          name,
          capacityRange: undefined,
          volumeCapabilities: [{ accessMode: { mode: 1 }, accessType: { $case: 'mount', value: mount } }],
          parameters: {},
          mutableParameters: {},
          secrets: {},
          volumeContentSource: undefined,
          accessibilityRequirements: undefined,
        },
        { timeoutMs: 5000 },
      );
      await client.create(persistentVolumes, {
        metadata: { name, ...(finalizers === undefined ? {} : { finalizers }) },
        spec: {
          capacity: { storage: '1Gi' },
          accessModes: ['ReadWriteOnce'],
          persistentVolumeReclaimPolicy: 'Retain',
          csi: { driver: DRIVER, volumeHandle: `vol-${name}`, ...csi },
          ...spec,
        },
      });
    },
    async addAttachment(name, volume, node) {
      const spec = { attacher: DRIVER, nodeName: node, source: { persistentVolumeName: volume } };
      await client.create(volumeAttachments, { metadata: { name }, spec });
    },
    untilAttached: (name) =>
      vi.waitFor(async () => {
        const found = await attachment(name);
        expect(found?.status).toMatchObject({ attached: true });
        return found ?? expect.fail('no VolumeAttachment');
      }),
    untilError: (name, field) =>
      vi.waitFor(async () => {
        const message = (await attachment(name))?.status?.[field]?.message;
        return message ?? expect.fail(`no ${field} yet`);
      }),
    untilGone: (name) => vi.waitFor(async () => expect(await attachment(name)).toBeUndefined()),
    writes: () =>
      cluster.requests
        .filter(({ userAgent, method }) => userAgent === USER_AGENT && method !== 'GET')
        .map(({ verb, resource, subresource }) => `${verb} ${resource}${subresource ? `/${subresource}` : ''}`),
    async stop() {
      await stopAttacher();
      testSignal.abort();
      connection.connection.close();
      await driver.stop();
      await cluster.stop();
    },
  };
}
