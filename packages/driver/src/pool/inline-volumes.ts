import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorMessage, type Logger } from '@holdfast/core';
import type { InlineRequest, InlineVolumes, Publication, Volume } from '@holdfast/driver-kit';
import { isMissing } from './durable-file.ts';
import type { InlineRecord } from './inline-records.ts';
import { BrokenRecordError, type RecordStore } from './record-store.ts';
import { volumeOf } from './volume-record.ts';
import { recordFor } from './volume-records.ts';

/** What an inline volume is made of. Each step may be repeated, also after a crash in its middle. */
export interface InlineContent {
  /** Keeps the space for it, and runs `write` while nobody else takes space. */
  reserve(sizeBytes: bigint, write: () => Promise<void>): Promise<void>;
  make(volume: Volume): Promise<void>;
  show(volume: Volume, request: InlineRequest<unknown>): Promise<void>;
  publications(volume: Volume, targetPath: string): Promise<readonly Publication[]>;
  /** Unmounts it and removes the target. */
  hide(id: string, targetPath: string): Promise<void>;
  /** @throws RpcError FailedPrecondition while it is in use */
  discard(id: string): Promise<void>;
}

/** Record before content, content before mount, and in the reverse order away again: whatever a crash leaves has a record that says so. */
export function createInlineVolumes(deps: {
  store: RecordStore<InlineRecord>;
  content: InlineContent;
  nodeId: string;
  log: Logger;
}): Required<Omit<InlineVolumes<unknown>, 'stats'>> & { recover(): Promise<void> } {
  const { store, content, nodeId, log } = deps;

  async function discard(record: InlineRecord): Promise<void> {
    await store.save(record.id, { ...record, phase: 'deleting' });
    await content.discard(record.id);
    await store.remove(record.id);
  }

  async function make(request: InlineRequest<unknown>): Promise<Volume> {
    const { id, targetPath, capacityBytes } = request;
    const left = await store.load(id);
    if (left?.phase === 'ready') return volumeOf(left);
    if (left !== undefined) await discard(left);
    const attachments = [{ nodeId, isReadOnly: false }];
    const record: InlineRecord = { ...recordFor(request), attachments, targetPath };
    await content.reserve(capacityBytes, () => store.save(id, record));
    try {
      await content.make(volumeOf(record));
    } catch (error) {
      // Where this fails too, the next call or start does it.
      await discard(record).catch((again: unknown) =>
        log.warn('An inline volume that could not be made is still there in part', {
          volume: id,
          reason: errorMessage(again),
        }),
      );
      throw error;
    }
    await store.save(id, { ...record, phase: 'ready' });
    return volumeOf(record);
  }

  async function recoverOne(id: string): Promise<void> {
    const record = await store.load(id);
    if (record === undefined || record.attachments.every((one) => one.nodeId !== nodeId)) return;
    const isShown = (await content.publications(volumeOf(record), record.targetPath)).length > 0;
    if (isShown) return;
    // Without a mount and without the folder that kubelet keeps for it, its pod is gone, and nobody will ask for it again.
    if (record.phase === 'ready' && (await isThere(dirname(record.targetPath)))) return;
    log.info('Removing an inline volume that no pod has any more', { volume: id, phase: record.phase });
    await discard(record);
  }

  return {
    async find(id) {
      const record = await store.load(id);
      return record?.phase === 'ready' ? volumeOf(record) : undefined;
    },
    publications: content.publications,
    async publish(request) {
      await content.show(await make(request), request);
    },
    async unpublish(id, targetPath) {
      const record = await store.load(id);
      if (record === undefined) return false;
      const shown = await content.publications(volumeOf(record), targetPath);
      // Asked to leave a place where it is not, it stays where it is.
      if (shown.some((one) => one.targetPath !== targetPath)) return true;
      await content.hide(id, targetPath);
      await discard(record);
      return true;
    },
    async recover() {
      await store.removeTemporaryFiles();
      for (const id of await store.ids()) {
        try {
          await recoverOne(id);
        } catch (error) {
          const message =
            error instanceof BrokenRecordError
              ? 'An inline volume is out of service'
              : 'What is left of an inline volume could not be removed';
          log.error(message, { volume: id, reason: errorMessage(error) });
        }
      }
    },
  };
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
