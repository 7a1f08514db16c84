import { commandLines } from './command-lines.ts';

/** A piece of a file that holds data. What lies between two extents reads as zeros. */
export interface FileExtent {
  readonly offsetBytes: bigint;
  readonly sizeBytes: bigint;
  /** Where on the device; undefined where the address does not say what is read: compressed, inline, not written yet. */
  readonly addressBytes: bigint | undefined;
}

// What filefrag counts in; a loop device has whole sectors.
const sectorBytes = 512n;
const extentLine = /^\s*\d+:\s+(\d+)\.\.\s*(\d+):\s+(\d+)\.\.\s*\d+:\s+\d+:\s*(?:\d+:)?\s*(\S*)\s*$/;

/** One line of `filefrag -v`: an extent, or undefined for what is none (a heading, or space that was reserved and never written). */
export function parseExtent(line: string): FileExtent | undefined {
  const [, first, last, address, flags] = extentLine.exec(line) ?? [];
  if (first === undefined || last === undefined || address === undefined || flags === undefined) return undefined;
  const names = flags.split(',');
  // Reads as zeros, FIEMAP_EXTENT_UNWRITTEN.
  if (names.includes('unwritten')) return undefined;
  const isOpaque = names.some((name) => !plainFlags.has(name));
  return {
    offsetBytes: BigInt(first) * sectorBytes,
    sizeBytes: (BigInt(last) - BigInt(first) + 1n) * sectorBytes,
    addressBytes: isOpaque ? undefined : BigInt(address) * sectorBytes,
  };
}

// FIEMAP flags that leave the address a plain one; with any other (encoded, inline, delalloc, unknown_loc, …) it is none.
const plainFlags = new Set(['', 'last', 'eof', 'shared', 'merged']);

/** In ascending order, as the file system has them on its disk (FIEMAP). */
export async function* fileExtents(file: string, signal?: AbortSignal): AsyncGenerator<FileExtent> {
  // -s: what is still in memory is written first, so that it has an address.
  for await (const line of commandLines('filefrag', ['-s', '-v', `-b${sectorBytes}`, file], signal)) {
    const extent = parseExtent(line);
    if (extent !== undefined) yield extent;
  }
}
