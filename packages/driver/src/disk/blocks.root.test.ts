import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type BlockMetadata,
  GetMetadataAllocatedRequest,
  type GetMetadataAllocatedResponse,
  GetMetadataDeltaRequest,
} from '@holdfast/csi-spec';
import { attachLoopDevice, formatBlankDevice, mountFileSystem, runCommand } from '@holdfast/mount';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clearUp } from '../testing/clear-up.ts';
import { blockCapability, MiB, options, requestsFor, snapshotRequest } from '../testing/requests.ts';
import { makeScratchFolder, type ServedBackend, serveBackend } from '../testing/served-backend.ts';

let dir: string;
let driver: ServedBackend;
beforeEach(async () => {
  dir = await makeScratchFolder();
});
afterEach(async () => {
  await driver.stop();
  await clearUp(dir);
});

async function poolOn(fsType: 'xfs' | 'btrfs' | 'ext4'): Promise<void> {
  const file = join(dir, 'pool.img');
  const handle = await open(file, 'w');
  await handle.truncate(1024 * 1024 * 1024);
  await handle.close();
  const { device } = await attachLoopDevice({ file });
  await formatBlankDevice({ device, fsType });
  await mkdir(join(dir, 'pool'));
  await mountFileSystem({ source: device, target: join(dir, 'pool'), fsType });
}

const volume = () => requestsFor({ name: 'pvc-1', capability: blockCapability(), dir, sizeBytes: 16n * MiB });

/** As a pod with the raw device would, then detached, so that a pool that cannot clone can copy it too. */
async function writeTo(places: readonly (readonly [offset: number, length: number, fill: number])[]): Promise<void> {
  const { attach, stage, publish, unpublish, unstage, detach, targetPath } = volume();
  await driver.controller.controllerPublishVolume(attach(), options);
  await driver.node.nodeStageVolume(stage(), options);
  await driver.node.nodePublishVolume(publish(), options);
  const device = await open(targetPath, 'r+');
  for (const [offset, length, fill] of places) await device.write(Buffer.alloc(length, fill), 0, length, offset);
  await device.sync();
  await device.close();
  await driver.node.nodeUnpublishVolume(unpublish(), options);
  await driver.node.nodeUnstageVolume(unstage(), options);
  await driver.controller.controllerUnpublishVolume(detach(), options);
}

const cut = (name: string) => driver.controller.createSnapshot(snapshotRequest(name, 'pvc-1'), options);

async function blocksOf(stream: AsyncIterable<GetMetadataAllocatedResponse>): Promise<[number, number][]> {
  const blocks: BlockMetadata[] = [];
  for await (const answer of stream) {
    expect(answer.volumeCapacityBytes).toBe(16n * MiB);
    blocks.push(...answer.blockMetadata);
  }
  return blocks.map(({ byteOffset, sizeBytes }) => [Number(byteOffset), Number(sizeBytes)]);
}

const delta = (baseSnapshotId: string, targetSnapshotId: string, more = {}) =>
  blocksOf(
    driver.metadata.getMetadataDelta(
      GetMetadataDeltaRequest.fromPartial({ baseSnapshotId, targetSnapshotId, ...more }),
      options,
    ),
  );
const allocated = (snapshotId: string) =>
  blocksOf(driver.metadata.getMetadataAllocated(GetMetadataAllocatedRequest.fromPartial({ snapshotId }), options));

const KiB = 1024;
const covers = (blocks: readonly [number, number][], offset: number) =>
  blocks.some(([start, length]) => start <= offset && offset < start + length);

// xfs and btrfs share blocks between a volume and its snapshots, ext4 has copies whose every address differs.
describe.each(['xfs', 'btrfs', 'ext4'] as const)('snapshots in a pool on %s', (fsType) => {
  test('tell which blocks hold data, and exactly which were changed between two of them', async () => {
    await poolOn(fsType);
    driver = await serveBackend('disk', dir);
    await driver.controller.createVolume(volume().create(), options);
    await writeTo([
      [0, 64 * KiB, 1],
      [1024 * KiB, 256 * KiB, 2],
      [8192 * KiB, 4 * KiB, 3],
    ]);
    await cut('one');
    const data = await allocated('one');
    for (const offset of [0, 1024 * KiB, 1279 * KiB, 8192 * KiB]) expect(covers(data, offset)).toBe(true);
    for (const offset of [512 * KiB, 4096 * KiB, 15 * 1024 * KiB]) expect(covers(data, offset)).toBe(false);

    await writeTo([
      [1028 * KiB, 8 * KiB, 9],
      [12 * 1024 * KiB, 4 * KiB, 4],
      // The same content again is no change, wherever the file system put it.
      [0, 4 * KiB, 1],
    ]);
    await cut('two');
    expect(await delta('one', 'two')).toEqual([
      [1028 * KiB, 8 * KiB],
      [12 * 1024 * KiB, 4 * KiB],
    ]);
    expect(await delta('one', 'one')).toEqual([]);
    // Gone on with where another call ended, in answers of one range each.
    expect(await delta('one', 'two', { startingOffset: BigInt(1032 * KiB), maxResults: 1 })).toEqual([
      [1032 * KiB, 4 * KiB],
      [12 * 1024 * KiB, 4 * KiB],
    ]);

    // A block that is taken back reads as zeros: that is a change too.
    await runCommand('fallocate', [
      '--punch-hole',
      '--offset',
      String(8192 * KiB),
      '--length',
      '4096',
      join(dir, 'pool/images/pvc-1.img'),
    ]);
    await cut('three');
    expect(await delta('two', 'three')).toEqual([[8192 * KiB, 4 * KiB]]);
    expect(await delta('one', 'three')).toEqual([
      [1028 * KiB, 8 * KiB],
      [8192 * KiB, 4 * KiB],
      [12 * 1024 * KiB, 4 * KiB],
    ]);
  });
});
