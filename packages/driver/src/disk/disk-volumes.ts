import { createKeyedLock, formatBytes, type Logger } from '@holdfast/core';
import type { Attachment, CreateRequest, NodeLoad, Volume } from '@holdfast/driver-kit';
import { rpcError } from '@holdfast/rpc';
import { zoneTopologyKey } from '../names.ts';
import type { NodeRegistry } from '../pool/node-registry.ts';
import { poolSpace } from '../pool/pool-folder.ts';
import type { RecordStore } from '../pool/record-store.ts';
import { volumeOf } from '../pool/volume-record.ts';
import { discardUnfinished, recordFor, type VolumeRecords, withoutRecord } from '../pool/volume-records.ts';
import type { DiskDevices } from './disk-device.ts';
import type { DiskImages } from './disk-images.ts';
import type { StageRecord } from './stage-record.ts';

export interface DiskVolumes {
  create(request: CreateRequest<unknown>): Promise<Volume>;
  remove(id: string): Promise<void>;
  expand(volume: Volume, capacityBytes: bigint): Promise<void>;
  attach(volume: Volume, attachment: Attachment): Promise<void>;
  detach(id: string, nodeId: string | undefined): Promise<void>;
  nodeLoad(nodeId: string): Promise<NodeLoad | undefined>;
  availableBytes(): Promise<bigint>;
  recover(): Promise<void>;
}

export interface DiskVolumesDeps {
  readonly pool: string;
  readonly records: VolumeRecords;
  readonly stageRecords: RecordStore<StageRecord>;
  readonly images: DiskImages;
  readonly devices: DiskDevices;
  readonly nodes: NodeRegistry;
  readonly maxVolumesPerNode: number;
  readonly log: Logger;
}

/** The controller's side of disk volumes: images, records, attachments. */
export function createDiskVolumes(deps: DiskVolumesDeps): DiskVolumes {
  const { pool, records, stageRecords, images, devices, nodes, maxVolumesPerNode, log } = deps;
  const { store } = records;
  const space = createKeyedLock();

  async function discard(id: string): Promise<void> {
    if ((await devices.release(id)) === 'inUse') throw inUse(id);
    await images.remove(id);
    await stageRecords.remove(id);
    await store.remove(id);
  }

  /** Images are sparse; what volumes were promised and have not written yet is kept free for them. */
  async function availableBytes(): Promise<bigint> {
    let promised = 0n;
    for (const { id, capacityBytes } of await records.all()) {
      const allocated = await images.allocatedBytes(id);
      if (allocated < capacityBytes) promised += capacityBytes - allocated;
    }
    const free = (await poolSpace(pool)).availableBytes;
    return free > promised ? free - promised : 0n;
  }

  async function requireSpace(neededBytes: bigint): Promise<void> {
    const available = await availableBytes();
    if (neededBytes <= available) return;
    throw rpcError(
      'ResourceExhausted',
      `the pool has ${formatBytes(available)} left that no volume was promised, ${formatBytes(neededBytes)} more are needed`,
    );
  }

  /** A scheduler sees to it; this is for callers that have none. */
  async function requireReach({ id, topology }: Volume, nodeId: string): Promise<void> {
    const zones = topology.flatMap((segments) => segments[zoneTopologyKey] ?? []);
    if (zones.length === 0) return;
    const node = (await nodes.list()).find((registered) => registered.nodeId === nodeId);
    const zone = node?.segments[zoneTopologyKey];
    if (zone !== undefined && zones.includes(zone)) return;
    throw rpcError(
      'FailedPrecondition',
      `volume ${id} lies in zone ${zones.join(', ')}, and node ${nodeId} is in ${zone === undefined ? 'none' : `zone ${zone}`}`,
    );
  }

  return {
    availableBytes,
    create: (request) =>
      space.run('space', async () => {
        const record = recordFor(request);
        // A half-made or half-removed volume of this name holds nothing that anybody was promised.
        if ((await store.load(record.id)) !== undefined) await discard(record.id);
        else if (await images.has(record.id)) throw withoutRecord(images.pathOf(record.id));
        await requireSpace(record.capacityBytes);
        await store.save(record.id, record);
        await images.make(record.id, record.capacityBytes);
        const ready = { ...record, phase: 'ready' } as const;
        await store.save(record.id, ready);
        return volumeOf(ready);
      }),

    async remove(id) {
      const record = await store.load(id);
      if (record === undefined) return;
      if ((await devices.release(id)) === 'inUse') throw inUse(id);
      await store.save(id, { ...record, phase: 'deleting' });
      await discard(id);
    },

    expand: (volume, capacityBytes) =>
      space.run('space', async () => {
        if (capacityBytes > volume.capacityBytes) await requireSpace(capacityBytes - volume.capacityBytes);
        // The image first: a record must never promise more than there is.
        await images.grow(volume.id, capacityBytes);
        if (capacityBytes > volume.capacityBytes)
          await records.update(volume.id, (record) => ({ ...record, capacityBytes }));
      }),

    async attach(volume, attachment) {
      if (volume.attachments.some((one) => one.nodeId === attachment.nodeId)) return;
      await requireReach(volume, attachment.nodeId);
      await records.update(volume.id, (record) => ({
        ...record,
        attachments: [...record.attachments, { ...attachment }],
      }));
    },

    async detach(id, nodeId) {
      const volume = await records.find(id);
      const isAttached = volume?.attachments.some((one) => nodeId === undefined || one.nodeId === nodeId) ?? false;
      if (!isAttached) return;
      await records.update(id, (record) => ({
        ...record,
        attachments: nodeId === undefined ? [] : record.attachments.filter((one) => one.nodeId !== nodeId),
      }));
    },

    async nodeLoad(nodeId) {
      if ((await nodes.list()).every((node) => node.nodeId !== nodeId)) return undefined;
      const attached = (await records.all()).filter((record) =>
        record.attachments.some((one) => one.nodeId === nodeId),
      );
      return { maxVolumes: maxVolumesPerNode, attachedVolumes: attached.length };
    },

    async recover() {
      await store.removeTemporaryFiles();
      for (const { id, phase } of await records.all()) {
        if (phase === 'ready' && !(await images.has(id))) {
          log.error('A volume has lost its image: restore it, or delete the volume', {
            volume: id,
            image: images.pathOf(id),
          });
        }
      }
      await discardUnfinished({ records, discard, log });
      const known = new Set(await store.ids());
      for (const id of await images.ids()) {
        // Never removed by us: it may be all that is left of a volume whose record was lost.
        if (!known.has(id))
          log.warn('An image of the pool has no record; look into it and remove it by hand', {
            image: images.pathOf(id),
          });
      }
    },
  };
}

function inUse(id: string): Error {
  return rpcError(
    'FailedPrecondition',
    `volume ${id} is still staged or published on this node: unpublish and unstage it first`,
  );
}
