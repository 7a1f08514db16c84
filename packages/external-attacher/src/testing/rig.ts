import { type Fence, openFence } from '@holdfast/control';
import { silentLogger } from '@holdfast/core';
import { ControllerService } from '@holdfast/csi-spec';
import {
  csiNodes,
  type PersistentVolume,
  persistentVolumes,
  type VolumeAttachment,
  volumeAttachments,
} from '@holdfast/kube';
import { dialUnix } from '@holdfast/rpc';
import { type ControllerRig, ifFound, type ScriptedDriverOptions, startControllerRig } from '@holdfast/sandbox/testing';
import { expect, vi } from 'vitest';
import { assembleAttacher } from '../assemble.ts';
import { attacherFlags } from '../flags.ts';
import { DRIVER } from './objects.ts';

type VolumeSpec = NonNullable<PersistentVolume['spec']>;

type Controller = ControllerRig<ReturnType<typeof attacherFlags.parse>>;

export interface Rig extends Omit<Controller, 'start'> {
  /** Starts the attacher, with flags beside short retry intervals. */
  start(...flags: string[]): Promise<void>;
  startFenced(fence: Fence, ...flags: string[]): Promise<void>;
  addNode(name: string, nodeId?: string): Promise<void>;
  /** A volume in the driver, with its PersistentVolume. */
  addVolume(
    name: string,
    parts?: { finalizers?: string[]; spec?: Partial<VolumeSpec>; csi?: Partial<NonNullable<VolumeSpec['csi']>> },
  ): Promise<void>;
  addAttachment(name: string, volume: string, node: string): Promise<void>;
  /** Its volume stands in the VolumeAttachment itself. The driver need not have it. */
  addInlineAttachment(name: string, volumeHandle: string, node: string): Promise<void>;
  attachment(name: string): Promise<VolumeAttachment | undefined>;
  untilAttached(name: string): Promise<VolumeAttachment>;
  /** Waits for `status.attachError` or `status.detachError` and returns its message. */
  untilError(name: string, field: 'attachError' | 'detachError'): Promise<string>;
  untilGone(name: string): Promise<void>;
}

/** Waits for what happens on its own; long enough for a machine under load. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval: 10 });
}

export async function startRig(options: ScriptedDriverOptions = {}): Promise<Rig> {
  const rig = await startControllerRig({
    program: 'csi-attacher',
    assemble: assembleAttacher,
    driver: { name: DRIVER, ...options },
  });
  const { client } = rig.cluster;
  const connection = await dialUnix({ address: rig.driver.socketPath, log: silentLogger });

  async function startFenced(fence: Fence, ...flags: string[]): Promise<void> {
    const quick = ['--retry-interval-start=10ms', '--retry-interval-max=100ms', '--timeout=5s', '--worker-threads=4'];
    await rig.start(attacherFlags.parse([...quick, ...flags], { syntax: 'go' }), fence);
  }

  const attachment = (name: string) => ifFound(client.get(volumeAttachments, { name }));

  return {
    ...rig,
    start: (...flags) => startFenced(openFence, ...flags),
    startFenced,
    attachment,
    async addNode(name, nodeId = `id-of-${name}`) {
      const drivers = [{ name: rig.driver.name, nodeID: nodeId, topologyKeys: [] }];
      await client.create(csiNodes, { metadata: { name }, spec: { drivers } });
    },
    async addVolume(name, { finalizers, spec, csi } = {}) {
      const mount = { fsType: '', mountFlags: [], volumeMountGroup: '' };
      await connection.client(ControllerService).createVolume(
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
          csi: { driver: rig.driver.name, volumeHandle: `vol-${name}`, ...csi },
          ...spec,
        },
      });
    },
    async addAttachment(name, volume, node) {
      const spec = { attacher: rig.driver.name, nodeName: node, source: { persistentVolumeName: volume } };
      await client.create(volumeAttachments, { metadata: { name }, spec });
    },
    async addInlineAttachment(name, volumeHandle, node) {
      const inlineVolumeSpec = { accessModes: ['ReadWriteOnce'], csi: { driver: rig.driver.name, volumeHandle } };
      const spec = { attacher: rig.driver.name, nodeName: node, source: { inlineVolumeSpec } };
      await client.create(volumeAttachments, { metadata: { name }, spec });
    },
    untilAttached: (name) =>
      eventually(async () => {
        const found = await attachment(name);
        expect(found?.status).toMatchObject({ attached: true });
        return found ?? expect.fail('no VolumeAttachment');
      }),
    untilError: (name, field) =>
      eventually(async () => {
        const message = (await attachment(name))?.status?.[field]?.message;
        return message ?? expect.fail(`no ${field} yet`);
      }),
    untilGone: (name) => eventually(async () => expect(await attachment(name)).toBeUndefined()),
    async stop() {
      connection.close();
      await rig.stop();
    },
  };
}
