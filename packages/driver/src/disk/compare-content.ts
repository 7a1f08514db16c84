import { type FileHandle, open } from 'node:fs/promises';
import type { BlockRange } from '@holdfast/driver-kit';

// A block of the file systems, and how many of them one read takes.
const blockBytes = 4096;
const readBytes = 64 * blockBytes;

/** Of ranges where two files may differ, the blocks that do. What lies behind a file's end is zeros. Neighbours are joined. */
export async function* thatDiffer(
  files: { readonly base: string; readonly target: string },
  ranges: AsyncIterable<BlockRange>,
  signal: AbortSignal,
): AsyncGenerator<BlockRange> {
  const base = await open(files.base, 'r');
  try {
    const target = await open(files.target, 'r');
    try {
      for await (const range of ranges) yield* blocksThatDiffer({ base, target }, range, signal);
    } finally {
      await target.close();
    }
  } finally {
    await base.close();
  }
}

async function* blocksThatDiffer(
  { base, target }: { readonly base: FileHandle; readonly target: FileHandle },
  { offsetBytes, sizeBytes }: BlockRange,
  signal: AbortSignal,
): AsyncGenerator<BlockRange> {
  const [a, b] = [Buffer.alloc(readBytes), Buffer.alloc(readBytes)];
  const rangeEnd = Number(offsetBytes + sizeBytes);
  let pending: { start: number; end: number } | undefined;
  for (let at = Number(offsetBytes); at < rangeEnd; at += readBytes) {
    signal.throwIfAborted();
    const length = Math.min(readBytes, rangeEnd - at);
    await Promise.all([fill(base, a, at, length), fill(target, b, at, length)]);
    if (a.compare(b, 0, length, 0, length) === 0) continue;
    for (let block = 0; block < length; block += blockBytes) {
      const end = Math.min(block + blockBytes, length);
      if (a.compare(b, block, end, block, end) === 0) continue;
      if (pending?.end === at + block) pending.end = at + end;
      else {
        if (pending !== undefined) yield rangeOf(pending);
        pending = { start: at + block, end: at + end };
      }
    }
  }
  if (pending !== undefined) yield rangeOf(pending);
}

async function fill(file: FileHandle, buffer: Buffer, at: number, length: number): Promise<void> {
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, at + done);
    if (bytesRead === 0) {
      buffer.fill(0, done, length);
      return;
    }
    done += bytesRead;
  }
}

function rangeOf({ start, end }: { start: number; end: number }): BlockRange {
  return { offsetBytes: BigInt(start), sizeBytes: BigInt(end - start) };
}
