import type { Logger } from '@holdfast/core';
import type { CreateSnapshotRequest, GroupSnapshot, Snapshot } from '@holdfast/driver-kit';
import * as z from 'zod';
import { writerName } from './durable-file.ts';
import { BrokenRecordError, createRecordStore, type RecordStore } from './record-store.ts';
import { bytes } from './volume-record.ts';

const phase = z.enum(['creating', 'ready', 'deleting']);

/** What the pool knows of one snapshot. Written by the controller alone; its phases are those of a volume. */
const snapshotRecordSchema = z.object({
  version: z.literal(1),
  id: z.string().min(1),
  name: z.string().min(1),
  phase,
  sourceVolumeId: z.string().min(1),
  sizeBytes: bytes,
  createdMs: z.number().int(),
  fsType: z.string(),
  topology: z.array(z.record(z.string(), z.string())),
  /** Empty for one that is no part of a group. */
  groupId: z.string(),
  /** Space kept free for it: what it shares with its volume becomes its own as the volume is written. */
  reservedBytes: bytes,
});

const groupRecordSchema = z.object({
  version: z.literal(1),
  id: z.string().min(1),
  name: z.string().min(1),
  phase,
  createdMs: z.number().int(),
  snapshotIds: z.array(z.string().min(1)),
});

export type SnapshotRecord = z.output<typeof snapshotRecordSchema>;
export type GroupRecord = z.output<typeof groupRecordSchema>;

export interface SnapshotRecords {
  readonly store: RecordStore<SnapshotRecord>;
  find(id: string): Promise<Snapshot | undefined>;
  list(page: { after: string; limit: number; sourceVolumeId?: string }): Promise<Snapshot[]>;
  /** Every record that can be read, in whatever phase; the others are logged. */
  all(): Promise<SnapshotRecord[]>;
}

export function createSnapshotRecords(deps: { folder: string; log: Logger }): SnapshotRecords {
  const store = createRecordStore({
    folder: deps.folder,
    schema: snapshotRecordSchema,
    encode: (record) => ({
      ...record,
      sizeBytes: String(record.sizeBytes),
      reservedBytes: String(record.reservedBytes),
    }),
    writer: writerName('controller'),
    idOf: (record) => record.id,
  });

  const tellBroken = (id: string, error: BrokenRecordError): void =>
    deps.log.error('A snapshot is out of service', { snapshot: id, reason: error.message });

  async function loadReadable(id: string): Promise<SnapshotRecord | undefined> {
    try {
      return await store.load(id);
    } catch (error) {
      if (!(error instanceof BrokenRecordError)) throw error;
      tellBroken(id, error);
      return undefined;
    }
  }

  return {
    store,
    async find(id) {
      const record = await store.load(id);
      return record?.phase === 'ready' ? snapshotOf(record) : undefined;
    },
    async list({ after, limit, sourceVolumeId }) {
      const snapshots: Snapshot[] = [];
      for (const id of await store.ids()) {
        if (snapshots.length >= limit) break;
        const record = id > after ? await loadReadable(id) : undefined;
        if (record?.phase !== 'ready') continue;
        if (sourceVolumeId === undefined || record.sourceVolumeId === sourceVolumeId)
          snapshots.push(snapshotOf(record));
      }
      return snapshots;
    },
    all: () => store.all(tellBroken),
  };
}

export function createGroupRecords(folder: string): RecordStore<GroupRecord> {
  return createRecordStore({
    folder,
    schema: groupRecordSchema,
    encode: (record) => record,
    writer: writerName('controller'),
    idOf: (record) => record.id,
  });
}

/** A new snapshot's record, before anything of it is made. */
export function snapshotRecordFor(
  { id, name, source }: Pick<CreateSnapshotRequest, 'id' | 'name' | 'source'>,
  more: { createdMs: number; reservedBytes: bigint; groupId?: string },
): SnapshotRecord {
  return {
    version: 1,
    id,
    name,
    phase: 'creating',
    sourceVolumeId: source.id,
    sizeBytes: source.capacityBytes,
    fsType: source.fsType,
    topology: source.topology.map((segments) => ({ ...segments })),
    groupId: '',
    ...more,
  };
}

export function snapshotOf(record: SnapshotRecord): Snapshot {
  const { id, name, sourceVolumeId, sizeBytes, createdMs, fsType, topology, groupId } = record;
  return { id, name, sourceVolumeId, sizeBytes, createdMs, isReady: true, fsType, topology, groupId };
}

export function groupOf(record: GroupRecord, snapshots: readonly Snapshot[]): GroupSnapshot {
  const { id, name, createdMs } = record;
  return { id, name, createdMs, isReady: true, snapshots };
}
