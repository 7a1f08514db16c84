import { errorMessage, type Logger } from '@holdfast/core';
import type { CreateRequest, SourceId, Volume } from '@holdfast/driver-kit';
import { boundTargets } from '@holdfast/mount';
import { rpcError } from '@holdfast/rpc';
import { withSpaceCode } from '../pool/space-code.ts';
import { volumeOf } from '../pool/volume-record.ts';
import {
  discardUnfinished,
  markDeleting,
  recordFor,
  type VolumeRecords,
  withoutRecord,
} from '../pool/volume-records.ts';
import type { DirFolders } from './dir-folders.ts';
import { limitOf } from './enforced-size.ts';

export interface DirVolumes {
  /** Empty, or with a copy of the folder at `source.path`. */
  create(request: CreateRequest<unknown>, source?: { readonly id: SourceId; readonly path: string }): Promise<Volume>;
  remove(id: string): Promise<void>;
  /** After a crash: what was being made or removed goes away. */
  recover(): Promise<void>;
}

export function createDirVolumes(deps: { records: VolumeRecords; folders: DirFolders; log: Logger }): DirVolumes {
  const { records, folders, log } = deps;
  const { store } = records;

  async function discard(id: string): Promise<void> {
    await folders.remove(id);
    await store.remove(id);
  }

  return {
    async create(request, source) {
      const record = recordFor(request, source?.id);
      // A half-made or half-removed volume of this name holds nothing that anybody was promised.
      if ((await store.load(record.id)) !== undefined) await discard(record.id);
      else if ((await folders.ids()).includes(record.id)) throw withoutRecord(folders.pathOf(record.id));
      await store.save(record.id, record);
      try {
        await (source === undefined
          ? folders.make(record.id, limitOf(record))
          : withSpaceCode(() => folders.copy(record.id, source.path, limitOf(record))));
      } catch (error) {
        // Where this fails too, the next call or start does it.
        await discard(record.id).catch((left: unknown) =>
          log.warn('A volume that could not be made is still there in part', {
            volume: record.id,
            reason: errorMessage(left),
          }),
        );
        throw error;
      }
      const ready = { ...record, phase: 'ready' } as const;
      await store.save(record.id, ready);
      return volumeOf(ready);
    },

    async remove(id) {
      const record = await store.load(id);
      if (record === undefined) return;
      const [target] = await boundTargets(folders.pathOf(id));
      if (target !== undefined) {
        throw rpcError('FailedPrecondition', `volume ${id} is published at ${target.mountPoint}: unpublish it first`);
      }
      await markDeleting(store, record);
      await discard(id);
    },

    async recover() {
      await store.removeTemporaryFiles();
      await folders.removeUnfinished();
      await discardUnfinished({ records, discard, log });
      const known = new Set(await store.ids());
      for (const id of await folders.ids()) {
        // Never removed by us: it may be all that is left of a volume whose record was lost.
        if (!known.has(id))
          log.warn('A folder of the pool has no record; look into it and remove it by hand', {
            folder: folders.pathOf(id),
          });
      }
    },
  };
}
