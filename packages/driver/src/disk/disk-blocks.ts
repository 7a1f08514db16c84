import type { Backend, BlockRange } from '@holdfast/driver-kit';
import { type FileExtent, fileExtents } from '@holdfast/mount';
import { thatDiffer } from './compare-content.ts';
import { mayDiffer } from './compare-extents.ts';
import type { DiskImages } from './disk-images.ts';

/**
 * What snapshots hold, from the extents of their images. Clones share the blocks that neither has written since: the same address on the
 * disk is the same content. Where addresses differ (a pool whose file system cannot clone copies images whole), content is compared.
 */
export function createDiskBlocks(images: DiskImages): NonNullable<Backend['snapshotBlocks']> {
  return {
    allocated: ({ id, sizeBytes }, fromBytes, signal) =>
      within(joined(fileExtents(images.pathOf(id), signal)), fromBytes, sizeBytes),
    changed(base, target, fromBytes, signal) {
      const files = { base: images.pathOf(base.id), target: images.pathOf(target.id) };
      const candidates = mayDiffer(fileExtents(files.base, signal), fileExtents(files.target, signal));
      return thatDiffer(files, within(candidates, fromBytes, target.sizeBytes), signal);
    },
  };
}

/** Only what is at or behind `fromBytes` and before the end: a file system's last block may reach beyond. */
async function* within(
  ranges: AsyncIterable<BlockRange>,
  fromBytes: bigint,
  endBytes: bigint,
): AsyncGenerator<BlockRange> {
  for await (const { offsetBytes, sizeBytes } of ranges) {
    const start = offsetBytes < fromBytes ? fromBytes : offsetBytes;
    const end = offsetBytes + sizeBytes < endBytes ? offsetBytes + sizeBytes : endBytes;
    if (start < end) yield { offsetBytes: start, sizeBytes: end - start };
  }
}

async function* joined(extents: AsyncIterable<FileExtent>): AsyncGenerator<BlockRange> {
  let pending: BlockRange | undefined;
  for await (const { offsetBytes, sizeBytes } of extents) {
    if (pending !== undefined && pending.offsetBytes + pending.sizeBytes === offsetBytes) {
      pending = { offsetBytes: pending.offsetBytes, sizeBytes: pending.sizeBytes + sizeBytes };
      continue;
    }
    if (pending !== undefined) yield pending;
    pending = { offsetBytes, sizeBytes };
  }
  if (pending !== undefined) yield pending;
}
