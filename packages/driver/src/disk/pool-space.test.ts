import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeClock, createRecordingLogger, type FakeClock } from '@holdfast/core/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { poolSpace } from '../pool/pool-folder.ts';
import { createSnapshotRecords } from '../pool/snapshot-records.ts';
import { createVolumeRecords, recordFor, type VolumeRecords } from '../pool/volume-records.ts';
import { createDiskImages } from './disk-images.ts';
import { createPoolSpace, type PoolSpace } from './pool-space.ts';

let pool: string;
let records: VolumeRecords;
let space: PoolSpace;
let clock: FakeClock;
let freeBytes: bigint;
beforeEach(async () => {
  pool = await mkdtemp(join(tmpdir(), 'hf-space-'));
  for (const name of ['volumes', 'images', 'snapshots']) await mkdir(join(pool, name));
  const log = createRecordingLogger();
  clock = createFakeClock();
  records = createVolumeRecords({ folder: join(pool, 'volumes'), log });
  const snapshots = createSnapshotRecords({ folder: join(pool, 'snapshots'), log });
  space = createPoolSpace({ pool, records, snapshots, images: createDiskImages(join(pool, 'images')), clock });
  freeBytes = (await poolSpace(pool)).availableBytes;
});
afterEach(async () => {
  await rm(pool, { recursive: true });
});

/** Others write to the same disk while this runs: the shares leave room for them. */
const tenths = (count: bigint): bigint => (freeBytes * count) / 10n;

async function promise(id: string, capacityBytes: bigint): Promise<void> {
  await space.require(capacityBytes);
  const request = { id, name: id, capacityBytes, givenParameters: {}, mutableParameters: {}, fsType: '', topology: [] };
  await records.store.save(id, recordFor({ ...request, accesses: [], parameters: {}, secrets: {} }));
}

test('the same space is promised once, also between two counts', async () => {
  await promise('a', tenths(3n));
  await promise('b', tenths(3n));
  await expect(promise('c', tenths(6n))).rejects.toMatchObject({ code: 'ResourceExhausted' });
  await promise('c', tenths(2n));
  await expect(promise('d', tenths(4n))).rejects.toMatchObject({ code: 'ResourceExhausted' });
});

test('what was promised and not taken, and what was given back, is found before anybody is refused', async () => {
  await space.require(tenths(6n));
  await promise('a', tenths(6n));
  await records.store.remove('a');
  await promise('b', tenths(6n));
});

test('a count serves for a while only', async () => {
  await promise('a', tenths(1n));
  const other = createVolumeRecords({ folder: join(pool, 'volumes'), log: createRecordingLogger() });
  const [record] = await other.all();
  if (record === undefined) throw new Error('no record');
  await other.store.save('b', { ...record, id: 'b', name: 'b', capacityBytes: tenths(6n) });
  await clock.advance(5_000);
  await expect(promise('c', tenths(5n))).rejects.toMatchObject({ code: 'ResourceExhausted' });
});
