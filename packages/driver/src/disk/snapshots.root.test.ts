import { mkdir, open, readdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateVolumeGroupSnapshotRequest, VolumeHealthErrorType } from '@holdfast/csi-spec';
import {
  attachLoopDevice,
  findLoopDevice,
  formatBlankDevice,
  freezeFileSystem,
  mountFileSystem,
  runCommand,
} from '@holdfast/mount';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clearUp } from '../testing/clear-up.ts';
import { leftoversOf } from '../testing/leftovers.ts';
import {
  blockCapability,
  fromSnapshot,
  fromVolume,
  MiB,
  mountCapability,
  options,
  requestsFor,
  snapshotRequest,
} from '../testing/requests.ts';
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

/** A pool on a file system that clones files; the temporary folder's own may not. */
async function serveOnCloningPool(): Promise<void> {
  const file = join(dir, 'pool.img');
  const handle = await open(file, 'w');
  await handle.truncate(1024 * 1024 * 1024);
  await handle.close();
  const { device } = await attachLoopDevice({ file });
  await formatBlankDevice({ device, fsType: 'xfs' });
  await mkdir(join(dir, 'pool'));
  await mountFileSystem({ source: device, target: join(dir, 'pool'), fsType: 'xfs' });
  driver = await serveBackend('disk', dir);
}

type Requests = ReturnType<typeof requestsFor>;
const volumeOf = (name: string, fsType = 'ext4', sizeBytes = 32n * MiB) =>
  requestsFor({ name, capability: mountCapability(fsType), dir, sizeBytes });

async function bringUp(volume: Requests, more = {}): Promise<void> {
  await driver.controller.createVolume(volume.create(more), options);
  await driver.controller.controllerPublishVolume(volume.attach(), options);
  await driver.node.nodeStageVolume(volume.stage(), options);
  await driver.node.nodePublishVolume(volume.publish(), options);
}

async function takeDown(volume: Requests): Promise<void> {
  await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
  await driver.node.nodeUnstageVolume(volume.unstage(), options);
  await driver.controller.controllerUnpublishVolume(volume.detach(), options);
  await driver.controller.deleteVolume(volume.remove(), options);
}

const cut = (name: string, source: string) => driver.controller.createSnapshot(snapshotRequest(name, source), options);
const drop = (snapshotId: string) => driver.controller.deleteSnapshot({ snapshotId, secrets: {} }, options);
const bytesOf = (volume: Requests) => readFile(join(volume.targetPath, 'bytes'), 'utf8');
const writeTo = (volume: Requests, text: string) => writeFile(join(volume.targetPath, 'bytes'), text);

describe.each([
  ['ext4', 64n],
  ['xfs', 320n],
  ['btrfs', 256n],
])('%s, in use', (fsType, size) => {
  test('a snapshot holds its instant, and becomes a larger volume, mounted beside the first', async () => {
    driver = await serveBackend('disk', dir);
    const volume = volumeOf('pvc-1', fsType, size * MiB);
    await bringUp(volume);
    await writeTo(volume, 'before, and not synced');
    const { snapshot } = await cut('snap-1', 'pvc-1');
    expect(snapshot).toMatchObject({ sizeBytes: size * MiB, readyToUse: true, sourceVolumeId: 'pvc-1' });
    // It can be written again, so it was let go.
    await writeTo(volume, 'after');

    const restored = volumeOf('pvc-2', fsType, size * 2n * MiB);
    await bringUp(restored, fromSnapshot('snap-1'));
    const clone = volumeOf('pvc-3', fsType, size * MiB);
    await bringUp(clone, fromVolume('pvc-1'));
    expect(await bytesOf(restored)).toBe('before, and not synced');
    expect(await bytesOf(clone)).toBe('after');
    const blocks = async (of: Requests) => (await statfs(of.targetPath)).blocks;
    expect(await blocks(restored)).toBeGreaterThan((await blocks(volume)) * 1.5);
    await writeTo(clone, 'of its own');
    expect(await bytesOf(volume)).toBe('after');

    // Each outlives the other.
    await takeDown(volume);
    await drop('snap-1');
    await drop('snap-1');
    await takeDown(restored);
    await takeDown(clone);
    expect(await leftoversOf(dir)).toEqual([]);
  });
});

describe('on a pool that clones files', () => {
  beforeEach(serveOnCloningPool);

  test('copies share their blocks, and the space that they may come to need is not promised to others', async () => {
    const volume = volumeOf('pvc-1', 'ext4', 128n * MiB);
    await bringUp(volume);
    await writeTo(volume, 'x'.repeat(Number(64n * MiB)));
    await runCommand('sync', ['--file-system', volume.targetPath]);
    const capacity = async () =>
      (
        await driver.controller.getCapacity(
          { volumeCapabilities: [], parameters: {}, accessibleTopology: undefined },
          options,
        )
      ).availableCapacity;
    const used = async () => {
      await runCommand('sync', ['--file-system', driver.pool]);
      const { blocks, bfree, bsize } = await statfs(driver.pool);
      return BigInt(blocks - bfree) * BigInt(bsize);
    };
    const [before, usedBefore] = [await capacity(), await used()];
    await cut('snap-1', 'pvc-1');
    expect((await used()) - usedBefore).toBeLessThan(16n * MiB);
    expect(before - (await capacity())).toBeGreaterThan(60n * MiB);
    await drop('snap-1');
    await takeDown(volume);
  });

  test('a raw volume is cut while it is written to; where files are not cloned that is refused', async () => {
    const volume = requestsFor({ name: 'pvc-b', capability: blockCapability(), dir, sizeBytes: 8n * MiB });
    await bringUp(volume);
    const write = async (text: string) => {
      const device = await open(volume.targetPath, 'r+');
      await device.write(Buffer.from(text), 0, text.length, 4096);
      await device.sync();
      await device.close();
    };
    await write('first');
    await cut('snap-b', 'pvc-b');
    await write('later');
    const image = await readFile(join(driver.pool, 'snapshot-images/snap-b.img'));
    expect(image.subarray(4096, 4101).toString()).toBe('first');
    await drop('snap-b');
    await takeDown(volume);
  });

  test('a group shows one instant, in each member, and goes as one', async () => {
    const volumes = [volumeOf('pvc-1'), volumeOf('pvc-2')];
    for (const volume of volumes) await bringUp(volume);
    for (const volume of volumes) await writeTo(volume, 'together');
    const request = CreateVolumeGroupSnapshotRequest.fromPartial({ name: 'g', sourceVolumeIds: ['pvc-1', 'pvc-2'] });
    const { groupSnapshot } = await driver.group.createVolumeGroupSnapshot(request, options);
    for (const volume of volumes) await writeTo(volume, 'later');
    const ids = groupSnapshot?.snapshots.map((one) => one.snapshotId) ?? [];
    expect(ids).toHaveLength(2);
    for (const [index, id] of ids.entries()) {
      const restored = volumeOf(`pvc-r${index}`);
      await bringUp(restored, fromSnapshot(id));
      expect(await bytesOf(restored)).toBe('together');
      await takeDown(restored);
    }
    const group = { groupSnapshotId: 'g', snapshotIds: ids, secrets: {} };
    expect(await driver.group.getVolumeGroupSnapshot(group, options)).toEqual({ groupSnapshot });
    await driver.group.deleteVolumeGroupSnapshot(group, options);
    expect(await readdir(join(driver.pool, 'snapshots'))).toEqual([]);
    for (const volume of volumes) await takeDown(volume);
    expect((await leftoversOf(dir)).filter((left) => left.startsWith('file'))).toEqual([]);
  });
});

test('a raw volume that is written to is not copied block by block', async () => {
  driver = await serveBackend('disk', dir);
  const volume = requestsFor({ name: 'pvc-b', capability: blockCapability(), dir, sizeBytes: 8n * MiB });
  await bringUp(volume);
  await expect(cut('snap-b', 'pvc-b')).rejects.toMatchObject({
    code: 'FailedPrecondition',
    message: expect.stringContaining('published as a raw device'),
  });
  expect(await readdir(join(driver.pool, 'snapshots'))).toEqual([]);
  await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
  await cut('snap-b', 'pvc-b');
  await drop('snap-b');
  await takeDown(volume);
  expect(await leftoversOf(dir)).toEqual([]);
});

test('a file system that a killed driver left frozen is thawed by the next one, and the half snapshot goes', async () => {
  driver = await serveBackend('disk', dir);
  const volume = volumeOf('pvc-1');
  await bringUp(volume);
  await cut('snap-1', 'pvc-1');
  await driver.stop();
  const file = join(driver.pool, 'snapshots/snap-1.json');
  await writeFile(file, (await readFile(file, 'utf8')).replace('"ready"', '"creating"'));
  await writeFile(join(driver.pool, 'snapshot-images/snap-1.img.0.part'), 'half');
  await freezeFileSystem(volume.stagingTargetPath);
  driver = await serveBackend('disk', dir);
  await writeTo(volume, 'written');
  expect(await readdir(join(driver.pool, 'snapshot-images'))).toEqual([]);
  await cut('snap-1', 'pvc-1');
  await drop('snap-1');
  await takeDown(volume);
  expect(await leftoversOf(dir)).toEqual([]);
});

test('a volume is modified while it is in use, and keeps it when it is staged again', async () => {
  driver = await serveBackend('disk', dir);
  const volume = volumeOf('pvc-1');
  await bringUp(volume, { mutableParameters: { label: 'bronze' } });
  const device = async () => (await findLoopDevice(join(driver.pool, 'images/pvc-1.img')))?.device ?? '';
  const tuned = async () => ({
    label: (await runCommand('e2label', [await device()])).stdout.trim(),
    readAhead: (await runCommand('blockdev', ['--getra', await device()])).stdout.trim(),
  });
  expect((await tuned()).label).toBe('bronze');
  const modify = (mutableParameters: Record<string, string>) =>
    driver.controller.controllerModifyVolume({ volumeId: 'pvc-1', mutableParameters, secrets: {} }, options);
  await modify({ readAheadKiB: '1024' });
  await modify({ label: 'gold' });
  expect(await tuned()).toEqual({ label: 'gold', readAhead: '2048' });
  await expect(modify({ label: 'not a label', readAheadKiB: '64' })).rejects.toMatchObject({ code: 'InvalidArgument' });
  await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
  await driver.node.nodeUnstageVolume(volume.unstage(), options);
  await driver.node.nodeStageVolume(volume.stage(), options);
  expect(await tuned()).toEqual({ label: 'gold', readAhead: '2048' });
  await takeDown(volume);
});

test('a volume whose image is gone is told as such, on controller and node', async () => {
  driver = await serveBackend('disk', dir);
  const volume = volumeOf('pvc-1');
  await driver.controller.createVolume(volume.create(), options);
  const onController = () => driver.controller.controllerGetVolumeHealth({ volumeId: 'pvc-1', secrets: {} }, options);
  expect((await onController()).volumeHealth?.healthStatuses).toEqual([]);
  await rm(join(driver.pool, 'images/pvc-1.img'));
  const lost = [{ status: VolumeHealthErrorType.DATA_LOSS, reason: 'ImageMissing' }];
  expect((await onController()).volumeHealth?.healthStatuses).toMatchObject(lost);
  const request = { volumeId: 'pvc-1', volumePublishPath: '', stagingTargetPath: '' };
  expect((await driver.node.nodeGetVolumeHealth(request, options)).volumeHealth?.healthStatuses).toMatchObject(lost);
  expect((await driver.node.nodeGetStorageHealth({ secrets: {} }, options)).backendHealth).toEqual([]);
});

test('a copy that cannot be made leaves neither record nor image', async () => {
  driver = await serveBackend('disk', dir);
  const volume = volumeOf('pvc-1');
  await driver.controller.createVolume(volume.create(), options);
  await rm(join(driver.pool, 'images/pvc-1.img'));
  await expect(cut('snap-1', 'pvc-1')).rejects.toMatchObject({ code: 'Internal' });
  expect(await readdir(join(driver.pool, 'snapshots'))).toEqual([]);
  await expect(stat(join(driver.pool, 'snapshot-images/snap-1.img'))).rejects.toMatchObject({ code: 'ENOENT' });
});
