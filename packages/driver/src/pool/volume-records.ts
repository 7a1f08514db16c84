import { errorMessage, type Logger } from '@holdfast/core';
import type { CreateRequest, SourceId, Volume } from '@holdfast/driver-kit';
import { rpcError } from '@holdfast/rpc';
import { writerName } from './durable-file.ts';
import { BrokenRecordError, createRecordStore, type RecordStore } from './record-store.ts';
import { isFull } from './space-code.ts';
import { encodeVolumeRecord, type VolumeRecord, volumeOf, volumeRecordSchema } from './volume-record.ts';

export interface VolumeRecords {
  readonly store: RecordStore<VolumeRecord>;
  find(id: string): Promise<Volume | undefined>;
  list(page: { after: string; limit: number }): Promise<Volume[]>;
  /** Every record that can be read, in whatever phase; the others are logged. */
  all(): Promise<VolumeRecord[]>;
  /** Changes the record of a volume that is ready. */
  update(id: string, change: (record: VolumeRecord) => VolumeRecord): Promise<Volume | undefined>;
}

export function createVolumeRecords(deps: { folder: string; log: Logger }): VolumeRecords {
  const store = createRecordStore({
    folder: deps.folder,
    schema: volumeRecordSchema,
    encode: encodeVolumeRecord,
    writer: writerName('controller'),
    idOf: (record) => record.id,
  });

  const tellBroken = (id: string, error: BrokenRecordError): void =>
    deps.log.error('A volume is out of service', { volume: id, reason: error.message });

  async function loadReadable(id: string): Promise<VolumeRecord | undefined> {
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
      return record?.phase === 'ready' ? volumeOf(record) : undefined;
    },
    async list({ after, limit }) {
      const volumes: Volume[] = [];
      for (const id of await store.ids()) {
        if (volumes.length >= limit) break;
        const record = id > after ? await loadReadable(id) : undefined;
        if (record?.phase === 'ready') volumes.push(volumeOf(record));
      }
      return volumes;
    },
    all: () => store.all(tellBroken),
    async update(id, change) {
      const record = await store.load(id);
      if (record?.phase !== 'ready') return undefined;
      const changed = change(record);
      await store.save(id, changed);
      return volumeOf(changed);
    },
  };
}

/** A new volume's record, before anything of it is made. */
export function recordFor(request: CreateRequest<unknown>, source?: SourceId): VolumeRecord {
  const { id, name, capacityBytes, givenParameters, mutableParameters, fsType, topology } = request;
  return {
    version: 1,
    id,
    name,
    phase: 'creating',
    capacityBytes,
    parameters: { ...givenParameters },
    fsType,
    topology: topology.map((segments) => ({ ...segments })),
    attachments: [],
    ...(source === undefined ? {} : { source: { ...source } }),
    ...(Object.keys(mutableParameters).length === 0 ? {} : { mutableParameters: { ...mutableParameters } }),
  };
}

/** A pool without room for the record is one that a deletion is to make room in: cut short, it is asked for again. */
export async function markDeleting(store: RecordStore<VolumeRecord>, record: VolumeRecord): Promise<void> {
  try {
    await store.save(record.id, { ...record, phase: 'deleting' });
  } catch (error) {
    if (!isFull(error)) throw error;
  }
}

/** After a crash: what was being made or removed goes away. What cannot go now is told, waits for the next call, and stops no other volume. */
export async function discardUnfinished(deps: {
  records: VolumeRecords;
  discard: (id: string) => Promise<void>;
  log: Logger;
}): Promise<void> {
  const { records, discard, log } = deps;
  for (const { id, phase } of await records.all()) {
    if (phase === 'ready') continue;
    log.info('Removing what an interrupted operation left', { volume: id, phase });
    try {
      await discard(id);
    } catch (error) {
      log.error('What an interrupted operation left could not be removed', { volume: id, reason: errorMessage(error) });
    }
  }
}

/** Content without a record may be all that is left of somebody's volume: a new one of the same name must not take or empty it. */
export function withoutRecord(content: string): Error {
  return rpcError(
    'FailedPrecondition',
    `${content} is there without a record, and may be a volume whose record was lost: restore the record from a copy, or remove the content by hand`,
  );
}
