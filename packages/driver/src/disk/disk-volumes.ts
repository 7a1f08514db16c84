import { errorMessage, type Logger } from '@holdfast/core';
import type { Attachment, CreateRequest, NodeLoad, SourceId, StringMap, Volume } from '@holdfast/driver-kit';
import { rpcError } from '@holdfast/rpc';
import { zoneTopologyKey } from '../names.ts';
import type { NodeRegistry } from '../pool/node-registry.ts';
import type { RecordStore } from '../pool/record-store.ts';
import { type VolumeRecord, volumeOf } from '../pool/volume-record.ts';
import {
  discardUnfinished,
  markDeleting,
  recordFor,
  type VolumeRecords,
  withoutRecord,
} from '../pool/volume-records.ts';
import { isFileSystemOn } from './device-mounts.ts';
import type { DiskCopies } from './disk-copies.ts';
import type { DiskDevices } from './disk-device.ts';
import type { DiskImages } from './disk-images.ts';
import type { PoolSpace } from './pool-space.ts';
import type { StageRecord } from './stage-record.ts';
import { tuneDevice, tuneFileSystem } from './tuning.ts';

export interface DiskVolumes {
  create(request: CreateRequest<unknown>, source?: ImageSource): Promise<Volume>;
  modify(volume: Volume, mutableParameters: StringMap): Promise<void>;
  remove(id: string): Promise<void>;
  expand(volume: Volume, capacityBytes: bigint): Promise<void>;
  attach(volume: Volume, attachment: Attachment): Promise<void>;
  detach(id: string, nodeId: string | undefined): Promise<void>;
  nodeLoad(nodeId: string): Promise<NodeLoad | undefined>;
  availableBytes(): Promise<bigint>;
  recover(): Promise<void>;
}

/** What a new image is copied from. */
export interface ImageSource {
  readonly id: SourceId;
  readonly image: string;
  readonly volume?: Volume;
}

export interface DiskVolumesDeps {
  readonly records: VolumeRecords;
  readonly stageRecords: RecordStore<StageRecord>;
  readonly images: DiskImages;
  readonly devices: DiskDevices;
  readonly copies: DiskCopies;
  readonly space: PoolSpace;
  readonly nodes: NodeRegistry;
  readonly maxVolumesPerNode: number;
  readonly ioCgroup: string;
  readonly log: Logger;
}

/** The controller's side of disk volumes: images, records, attachments. */
export function createDiskVolumes(deps: DiskVolumesDeps): DiskVolumes {
  const { records, stageRecords, images, devices, copies, space, nodes, maxVolumesPerNode, ioCgroup, log } = deps;
  const { store } = records;

  async function discard(id: string): Promise<void> {
    if ((await devices.release(id)) === 'inUse') throw inUse(id);
    await images.remove(id);
    await stageRecords.remove(id);
    await store.remove(id);
  }

  /** @returns what the image shares with its source */
  async function fill(record: VolumeRecord, source: ImageSource | undefined): Promise<bigint> {
    if (source === undefined) {
      await images.make(record.id, record.capacityBytes);
      return 0n;
    }
    const how = await copies.cut([
      {
        from: source.image,
        to: images.pathOf(record.id),
        ...(source.volume === undefined ? {} : { volume: source.volume }),
      },
    ]);
    const sharedBytes = how === 'shared' ? await images.allocatedBytes(record.id) : 0n;
    await images.grow(record.id, record.capacityBytes);
    return sharedBytes;
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
    availableBytes: space.availableBytes,
    async create(request, source) {
      const record = recordFor(request, source?.id);
      await space.reserve(async () => {
        // A half-made or half-removed volume of this name holds nothing that anybody was promised.
        if ((await store.load(record.id)) !== undefined) await discard(record.id);
        else if (await images.has(record.id)) throw withoutRecord(images.pathOf(record.id));
        await space.require(record.capacityBytes);
        await store.save(record.id, record);
      });
      try {
        const sharedBytes = await fill(record, source);
        const ready = { ...record, phase: 'ready', ...(sharedBytes === 0n ? {} : { sharedBytes }) } as const;
        await store.save(record.id, ready);
        return volumeOf(ready);
      } catch (error) {
        // What it was promised is free again at once; where that fails too, the next call or start does it.
        await discard(record.id).catch((left: unknown) =>
          log.warn('A volume that could not be made is still there in part', {
            volume: record.id,
            reason: errorMessage(left),
          }),
        );
        throw error;
      }
    },

    async modify({ id }, given) {
      const volume = await records.update(id, (record) => ({
        ...record,
        mutableParameters: { ...record.mutableParameters, ...given },
      }));
      // In use on this machine it is changed now, elsewhere when it is staged the next time.
      const loop = await devices.find(id);
      if (volume === undefined || loop === undefined) return;
      await tuneDevice(volume, loop.device, ioCgroup);
      const held = (await devices.mountsOf(loop.device)).find(
        (entry) => isFileSystemOn(entry, loop.device) && !entry.superOptions.includes('ro'),
      );
      if (held !== undefined) {
        await tuneFileSystem(volume, { device: loop.device, fsType: held.fsType, mountPoint: held.mountPoint });
      }
    },

    async remove(id) {
      const record = await store.load(id);
      if (record === undefined) return;
      if ((await devices.release(id)) === 'inUse') throw inUse(id);
      await markDeleting(store, record);
      await discard(id);
    },

    expand: (volume, capacityBytes) =>
      space.reserve(async () => {
        if (capacityBytes > volume.capacityBytes) await space.require(capacityBytes - volume.capacityBytes);
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
      await copies.removeUnfinished(images.folder);
      for (const { phase, source } of await records.all()) {
        // Its source was held while it was copied, and whoever held it is gone.
        if (phase === 'creating' && source?.kind === 'volume') await copies.thaw(source.id);
      }
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
