import type { BlockRange } from '@holdfast/driver-kit';
import type { FileExtent } from '@holdfast/mount';

/** The first extent that ends behind a position, and with it how far what is there goes. */
interface Cursor {
  current: FileExtent | undefined;
  next(): Promise<void>;
}

async function cursorOver(extents: AsyncIterable<FileExtent>): Promise<Cursor> {
  const iterator = extents[Symbol.asyncIterator]();
  const cursor: Cursor = {
    current: undefined,
    async next() {
      const { done, value } = await iterator.next();
      cursor.current = done === true ? undefined : value;
    },
  };
  await cursor.next();
  return cursor;
}

/**
 * Where two files may differ: everywhere but where neither has data, and where both have the same blocks of one disk, which clones share
 * until either is written. Ascending, neighbours joined.
 */
export async function* mayDiffer(
  base: AsyncIterable<FileExtent>,
  target: AsyncIterable<FileExtent>,
): AsyncGenerator<BlockRange> {
  const [a, b] = [await cursorOver(base), await cursorOver(target)];
  let at = 0n;
  let open: { offsetBytes: bigint; endBytes: bigint } | undefined;
  while (a.current !== undefined || b.current !== undefined) {
    const ends = [stretchEnd(a.current, at), stretchEnd(b.current, at)].filter((end) => end !== undefined);
    const end = ends.reduce((least, one) => (one < least ? one : least));
    if (!isSame(a.current, b.current, at)) {
      if (open?.endBytes === at) open.endBytes = end;
      else {
        if (open !== undefined) yield rangeOf(open);
        open = { offsetBytes: at, endBytes: end };
      }
    }
    at = end;
    if (a.current !== undefined && endOf(a.current) <= at) await a.next();
    if (b.current !== undefined && endOf(b.current) <= at) await b.next();
  }
  if (open !== undefined) yield rangeOf(open);
}

function isSame(a: FileExtent | undefined, b: FileExtent | undefined, at: bigint): boolean {
  const [inA, inB] = [covers(a, at), covers(b, at)];
  if (!inA || !inB) return inA === inB;
  const [addressA, addressB] = [addressAt(a, at), addressAt(b, at)];
  return addressA !== undefined && addressA === addressB;
}

function covers(extent: FileExtent | undefined, at: bigint): boolean {
  return extent !== undefined && extent.offsetBytes <= at;
}

function addressAt(extent: FileExtent | undefined, at: bigint): bigint | undefined {
  return extent?.addressBytes === undefined ? undefined : extent.addressBytes + (at - extent.offsetBytes);
}

function endOf({ offsetBytes, sizeBytes }: FileExtent): bigint {
  return offsetBytes + sizeBytes;
}

/** Until where nothing changes on one side: the extent's end, or its beginning while it lies ahead. */
function stretchEnd(extent: FileExtent | undefined, at: bigint): bigint | undefined {
  if (extent === undefined) return undefined;
  return covers(extent, at) ? endOf(extent) : extent.offsetBytes;
}

function rangeOf({ offsetBytes, endBytes }: { offsetBytes: bigint; endBytes: bigint }): BlockRange {
  return { offsetBytes, sizeBytes: endBytes - offsetBytes };
}
