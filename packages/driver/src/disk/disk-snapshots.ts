import { errorMessage, type Logger } from '@holdfast/core';
import type {
  CreateGroupSnapshotRequest,
  CreateSnapshotRequest,
  GroupSnapshot,
  Snapshot,
  Volume,
} from '@holdfast/driver-kit';
import { rpcError } from '@holdfast/rpc';
import { BrokenRecordError, type RecordStore } from '../pool/record-store.ts';
import {
  type GroupRecord,
  groupOf,
  type SnapshotRecord,
  type SnapshotRecords,
  snapshotOf,
  snapshotRecordFor,
} from '../pool/snapshot-records.ts';
import { withoutRecord } from '../pool/volume-records.ts';
import type { DiskCopies } from './disk-copies.ts';
import type { DiskImages } from './disk-images.ts';
import type { PoolSpace } from './pool-space.ts';
import type { StageRecord } from './stage-record.ts';

export interface DiskSnapshots {
  create(request: Pick<CreateSnapshotRequest, 'id' | 'name' | 'source'>): Promise<Snapshot>;
  remove(id: string): Promise<void>;
  createGroup(request: Pick<CreateGroupSnapshotRequest, 'id' | 'name' | 'members'>): Promise<GroupSnapshot>;
  removeGroup(id: string): Promise<void>;
  findGroup(id: string): Promise<GroupSnapshot | undefined>;
  /** After a crash: what was being cut or removed goes away, and what was held is let go. */
  recover(): Promise<void>;
}

export interface DiskSnapshotsDeps {
  readonly records: SnapshotRecords;
  readonly groups: RecordStore<GroupRecord>;
  readonly stageRecords: Pick<RecordStore<StageRecord>, 'load'>;
  /** Of volumes. */
  readonly images: DiskImages;
  /** Of snapshots. */
  readonly snapshotImages: DiskImages;
  readonly copies: DiskCopies;
  readonly space: PoolSpace;
  readonly log: Logger;
}

/** A snapshot is an image of its own, so it outlives its volume, and a volume its snapshots. */
export function createDiskSnapshots(deps: DiskSnapshotsDeps): DiskSnapshots {
  const { records, groups, stageRecords, images, snapshotImages, copies, space, log } = deps;
  const { store } = records;

  async function discard(id: string): Promise<void> {
    await snapshotImages.remove(id);
    await store.remove(id);
  }

  async function discardGroup(group: GroupRecord): Promise<void> {
    for (const id of group.snapshotIds) await discard(id);
    await groups.remove(group.id);
  }

  async function readableGroup(id: string): Promise<GroupRecord | undefined> {
    try {
      return await groups.load(id);
    } catch (error) {
      if (!(error instanceof BrokenRecordError)) throw error;
      log.error('A group snapshot is out of service', { group: id, reason: errorMessage(error) });
      return undefined;
    }
  }

  async function requireFormatted({ id }: Volume): Promise<void> {
    if ((await stageRecords.load(id))?.fileSystem.kind !== 'formatting') return;
    throw rpcError('FailedPrecondition', `volume ${id} is being formatted, or that was cut short: stage it first`);
  }

  /** Promises the space and writes down what is to come, before anything of it is made. */
  function begin(
    wanted: readonly Pick<CreateSnapshotRequest, 'id' | 'name' | 'source'>[],
    groupId: string,
  ): Promise<SnapshotRecord[]> {
    return space.reserve(async () => {
      const begun: SnapshotRecord[] = [];
      for (const request of wanted) {
        await requireFormatted(request.source);
        // Of a snapshot that was begun and never ready, nobody was promised anything.
        if ((await store.load(request.id)) !== undefined) await discard(request.id);
        else if (await snapshotImages.has(request.id)) throw withoutRecord(snapshotImages.pathOf(request.id));
        const reservedBytes = await images.allocatedBytes(request.source.id);
        begun.push(snapshotRecordFor(request, { createdMs: Date.now(), reservedBytes, groupId }));
      }
      await space.require(begun.reduce((sum, record) => sum + record.reservedBytes, 0n));
      for (const record of begun) await store.save(record.id, record);
      return begun;
    });
  }

  async function finish(begun: readonly SnapshotRecord[], sources: readonly Volume[]): Promise<Snapshot[]> {
    const how = await copies.cut(
      sources.map((volume, index) => ({
        from: images.pathOf(volume.id),
        to: snapshotImages.pathOf(begun[index]?.id ?? ''),
        volume,
      })),
    );
    const createdMs = Date.now();
    const snapshots: Snapshot[] = [];
    for (const record of begun) {
      const reservedBytes = how === 'shared' ? record.reservedBytes : 0n;
      const ready: SnapshotRecord = { ...record, phase: 'ready', createdMs, reservedBytes };
      await store.save(record.id, ready);
      snapshots.push(snapshotOf(ready));
    }
    return snapshots;
  }

  async function orElse<T>(work: () => Promise<T>, undo: () => Promise<void>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // Where this fails too, the next call or start does it.
      await undo().catch((left: unknown) =>
        log.warn('A snapshot that could not be made is still there in part', { reason: errorMessage(left) }),
      );
      throw error;
    }
  }

  return {
    create: async (request) => {
      const begun = await begin([request], '');
      return orElse(
        async () => {
          const [snapshot] = await finish(begun, [request.source]);
          if (snapshot === undefined) throw new Error(`snapshot ${request.id} was not made`);
          return snapshot;
        },
        () => discard(request.id),
      );
    },

    async remove(id) {
      const record = await store.load(id);
      if (record === undefined) return;
      await store.save(id, { ...record, phase: 'deleting' });
      await discard(id);
    },

    async createGroup({ id, name, members }) {
      const left = await groups.load(id);
      if (left !== undefined) await discardGroup(left);
      const group: GroupRecord = {
        version: 1,
        id,
        name,
        phase: 'creating',
        createdMs: Date.now(),
        snapshotIds: members.map((member) => member.id),
      };
      await groups.save(id, group);
      return orElse(
        async () => {
          const begun = await begin(members, id);
          const snapshots = await finish(
            begun,
            members.map((member) => member.source),
          );
          const ready: GroupRecord = {
            ...group,
            phase: 'ready',
            createdMs: snapshots[0]?.createdMs ?? group.createdMs,
          };
          await groups.save(id, ready);
          return groupOf(ready, snapshots);
        },
        () => discardGroup(group),
      );
    },

    async removeGroup(id) {
      const group = await groups.load(id);
      if (group === undefined) return;
      await groups.save(id, { ...group, phase: 'deleting' });
      await discardGroup(group);
    },

    async findGroup(id) {
      const group = await groups.load(id);
      if (group?.phase !== 'ready') return undefined;
      const members = await Promise.all(group.snapshotIds.map(records.find));
      return groupOf(
        group,
        members.filter((member) => member !== undefined),
      );
    },

    async recover() {
      await store.removeTemporaryFiles();
      await groups.removeTemporaryFiles();
      await copies.removeUnfinished(snapshotImages.folder);
      for (const record of await records.all()) {
        // Its volume was held while it was copied, and whoever held it is gone.
        if (record.phase === 'creating') await copies.thaw(record.sourceVolumeId);
        if (record.phase === 'ready') {
          if (!(await snapshotImages.has(record.id)))
            log.error('A snapshot has lost its image: restore it, or delete the snapshot', {
              snapshot: record.id,
              image: snapshotImages.pathOf(record.id),
            });
          continue;
        }
        log.info('Removing what an interrupted operation left', { snapshot: record.id, phase: record.phase });
        await discard(record.id);
      }
      for (const id of await groups.ids()) {
        const group = await readableGroup(id);
        if (group !== undefined && group.phase !== 'ready') await discardGroup(group);
      }
    },
  };
}
