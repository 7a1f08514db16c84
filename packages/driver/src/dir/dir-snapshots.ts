import { errorMessage, type Logger } from '@holdfast/core';
import type { CreateSnapshotRequest, Snapshot } from '@holdfast/driver-kit';
import { type SnapshotRecords, snapshotOf, snapshotRecordFor } from '../pool/snapshot-records.ts';
import { withSpaceCode } from '../pool/space-code.ts';
import { withoutRecord } from '../pool/volume-records.ts';
import type { DirFolders } from './dir-folders.ts';

export interface DirSnapshots {
  create(request: CreateSnapshotRequest): Promise<Snapshot>;
  remove(id: string): Promise<void>;
  /** After a crash: what was being made or removed goes away. */
  recover(): Promise<void>;
}

/**
 * A copy of the volume's folder. A folder cannot be held still, so of a volume that is written to meanwhile each file is as it was when
 * its turn came.
 */
export function createDirSnapshots(deps: {
  records: SnapshotRecords;
  /** Of volumes. */
  folders: DirFolders;
  /** Of snapshots. */
  snapshotFolders: DirFolders;
  log: Logger;
}): DirSnapshots {
  const { records, folders, snapshotFolders, log } = deps;
  const { store } = records;

  async function discard(id: string): Promise<void> {
    await snapshotFolders.remove(id);
    await store.remove(id);
  }

  return {
    async create(request) {
      const { id, source } = request;
      if ((await store.load(id)) !== undefined) await discard(id);
      else if ((await snapshotFolders.ids()).includes(id)) throw withoutRecord(snapshotFolders.pathOf(id));
      const record = snapshotRecordFor(request, { createdMs: Date.now(), reservedBytes: 0n });
      await store.save(id, record);
      try {
        await withSpaceCode(() => snapshotFolders.copy(id, folders.pathOf(source.id)));
      } catch (error) {
        // Where this fails too, the next call or start does it.
        await discard(id).catch((left: unknown) =>
          log.warn('A snapshot that could not be made is still there in part', {
            snapshot: id,
            reason: errorMessage(left),
          }),
        );
        throw error;
      }
      const ready = { ...record, phase: 'ready' } as const;
      await store.save(id, ready);
      return snapshotOf(ready);
    },

    async remove(id) {
      const record = await store.load(id);
      if (record === undefined) return;
      await store.save(id, { ...record, phase: 'deleting' });
      await discard(id);
    },

    async recover() {
      await store.removeTemporaryFiles();
      await snapshotFolders.removeUnfinished();
      for (const { id, phase } of await records.all()) {
        if (phase === 'ready') continue;
        log.info('Removing what an interrupted operation left', { snapshot: id, phase });
        await discard(id);
      }
    },
  };
}
