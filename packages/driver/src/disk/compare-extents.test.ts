import type { FileExtent } from '@holdfast/mount';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { mayDiffer } from './compare-extents.ts';

// A file as a row of cells: a hole, data at an address, or data whose address says nothing.
type Cell = 'hole' | 'opaque' | number;
const cells = fc.array(
  fc.oneof(fc.constant<Cell>('hole'), fc.constant<Cell>('opaque'), fc.integer({ min: 0, max: 3 })),
  { maxLength: 12 },
);
const cellBytes = 512n;

async function* extentsOf(file: readonly Cell[], isJoined: boolean): AsyncGenerator<FileExtent> {
  let pending: FileExtent | undefined;
  for (const [index, cell] of file.entries()) {
    if (cell === 'hole') continue;
    const offsetBytes = BigInt(index) * cellBytes;
    // Addresses that go on where the last cell of the same base ended, so that extents can be longer than a cell.
    const addressBytes = cell === 'opaque' ? undefined : BigInt(cell) * 1_000_000n + offsetBytes;
    const goesOn =
      isJoined &&
      pending?.addressBytes !== undefined &&
      addressBytes === pending.addressBytes + pending.sizeBytes &&
      offsetBytes === pending.offsetBytes + pending.sizeBytes;
    if (goesOn && pending !== undefined) pending = { ...pending, sizeBytes: pending.sizeBytes + cellBytes };
    else {
      if (pending !== undefined) yield pending;
      pending = { offsetBytes, sizeBytes: cellBytes, addressBytes };
    }
  }
  if (pending !== undefined) yield pending;
}

test('names every cell that is not a hole, or the same place on the disk, on both sides, and no other; ascending and joined', async () => {
  await fc.assert(
    fc.asyncProperty(cells, cells, fc.boolean(), async (base, target, isJoined) => {
      const named = new Set<number>();
      let last = -1n;
      for await (const { offsetBytes, sizeBytes } of mayDiffer(
        extentsOf(base, isJoined),
        extentsOf(target, !isJoined),
      )) {
        expect(offsetBytes > last).toBe(true);
        last = offsetBytes + sizeBytes;
        for (let at = offsetBytes; at < last; at += cellBytes) named.add(Number(at / cellBytes));
      }
      const expected = Array.from({ length: Math.max(base.length, target.length) }, (_, index) => index).filter(
        (index) => {
          const [a, b] = [base[index] ?? 'hole', target[index] ?? 'hole'];
          return a !== b || a === 'opaque';
        },
      );
      expect([...named].toSorted((a, b) => a - b)).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});
