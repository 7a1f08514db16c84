import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, rm, stat, statfs, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { VolumeCapability_AccessMode_Mode as Mode, VolumeCapability } from '@holdfast/csi-spec';
import {
  attachLoopDevice,
  canGrowMountedExt,
  findLoopDevice,
  findMount,
  isReadOnlyMount,
  isSameDevice,
  listLoopDevices,
  mountsUnder,
  readMountInfo,
  runCommand,
} from '@holdfast/mount';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { leftoversOf } from '../testing/leftovers.ts';
import { blockCapability, MiB, mountCapability, options, requestsFor } from '../testing/requests.ts';
import { makeScratchFolder, removeScratchFolder, type ServedBackend, serveBackend } from '../testing/served-backend.ts';

let dir: string;
let driver: ServedBackend;
beforeEach(async () => {
  dir = await makeScratchFolder();
  driver = await serveBackend('disk', dir);
});
afterEach(async () => {
  await driver.stop();
  for (const entry of mountsUnder(await readMountInfo(), dir).toReversed())
    await runCommand('umount', [entry.mountPoint]);
  for (const loop of await listLoopDevices()) {
    if (loop.backingFile.startsWith(dir)) await runCommand('losetup', ['--detach', loop.device]);
  }
  await removeScratchFolder(dir);
});

type Requests = ReturnType<typeof requestsFor>;

async function bringUp(volume: Requests): Promise<void> {
  await driver.controller.createVolume(volume.create(), options);
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

describe.each([
  ['ext4', 64n],
  ['xfs', 320n],
  ['btrfs', 256n],
])('a volume of %s', (fsType, size) => {
  const sizeBytes = size * MiB;
  const volumeOf = (more = {}) =>
    requestsFor({ name: 'pvc-1', capability: mountCapability(fsType), dir, sizeBytes, ...more });

  test('lives: made, attached, staged, published, grown while in use, and gone without a trace', async () => {
    const volume = volumeOf();
    await bringUp(volume);
    await bringUp(volume);
    expect((await findMount(volume.targetPath))?.fsType).toBe(fsType);
    await writeFile(join(volume.targetPath, 'bytes'), 'kept');
    expect(await readFile(join(volume.stagingTargetPath, 'bytes'), 'utf8')).toBe('kept');

    const held = await open(join(volume.targetPath, 'bytes'), 'r');
    const before = (await statfs(volume.targetPath)).blocks;
    const grown = sizeBytes * 2n;
    expect(await driver.controller.controllerExpandVolume(volume.expand(grown), options)).toEqual({
      capacityBytes: grown,
      nodeExpansionRequired: true,
    });
    const growth = driver.node.nodeExpandVolume(volume.nodeExpand(grown), options);
    if (fsType === 'ext4' && !(await canGrowMountedExt())) {
      // Where the kernel refuses, the caller is told, and the next stage grows it.
      await expect(growth).rejects.toMatchObject({
        code: 'FailedPrecondition',
        message: expect.stringContaining('CAP_SYS_RESOURCE'),
      });
      await held.close();
      await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
      await driver.node.nodeUnstageVolume(volume.unstage(), options);
      await driver.node.nodeStageVolume(volume.stage(), options);
      await driver.node.nodePublishVolume(volume.publish(), options);
      expect(await driver.node.nodeExpandVolume(volume.nodeExpand(grown), options)).toEqual({ capacityBytes: grown });
    } else {
      expect(await growth).toEqual({ capacityBytes: grown });
      await held.close();
    }
    expect((await statfs(volume.targetPath)).blocks).toBeGreaterThan(before * 1.5);
    expect(await readFile(join(volume.targetPath, 'bytes'), 'utf8')).toBe('kept');

    const { usage } = await driver.node.nodeGetVolumeStats(volume.stats(), options);
    expect(usage[0]?.total).toBeGreaterThan(sizeBytes);
    expect(usage.length).toBe(fsType === 'btrfs' ? 1 : 2);
    await expect(driver.controller.deleteVolume(volume.remove(), options)).rejects.toMatchObject({
      code: 'FailedPrecondition',
    });
    await takeDown(volume);
    await takeDown(volume);
    expect(await leftoversOf(dir)).toEqual([]);
  });

  test('grown while it was not staged, fills its device at the next stage', async () => {
    const volume = volumeOf();
    await bringUp(volume);
    await writeFile(join(volume.targetPath, 'bytes'), 'kept');
    const before = (await statfs(volume.targetPath)).blocks;
    await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
    await driver.node.nodeUnstageVolume(volume.unstage(), options);
    await driver.controller.controllerExpandVolume(volume.expand(sizeBytes * 2n), options);
    await driver.node.nodeStageVolume(volume.stage(), options);
    await driver.node.nodePublishVolume(volume.publish(), options);
    expect((await statfs(volume.targetPath)).blocks).toBeGreaterThan(before * 1.5);
    expect(await readFile(join(volume.targetPath, 'bytes'), 'utf8')).toBe('kept');
    await takeDown(volume);
  });
});

describe('a raw block volume', () => {
  const volumeOf = (mode: Mode = Mode.SINGLE_NODE_WRITER) =>
    requestsFor({ name: 'pvc-b', capability: blockCapability(mode), dir, sizeBytes: 8n * MiB });

  test('lives: its bytes are those of the image, it grows, and is gone without a trace', async () => {
    const volume = volumeOf();
    await bringUp(volume);
    await bringUp(volume);
    expect((await stat(volume.targetPath)).isBlockDevice()).toBe(true);
    expect(mountsUnder(await readMountInfo(), volume.targetPath)).toHaveLength(1);
    const device = await open(volume.targetPath, 'r+');
    await device.write(Buffer.from('raw bytes'), 0, 9, 4096);
    await device.sync();
    await device.close();
    expect((await readFile(join(driver.pool, 'images/pvc-b.img'))).subarray(4096, 4105).toString()).toBe('raw bytes');
    await driver.controller.controllerExpandVolume(volume.expand(16n * MiB), options);
    expect(await driver.node.nodeExpandVolume(volume.nodeExpand(16n * MiB), options)).toEqual({
      capacityBytes: 16n * MiB,
    });
    const { usage } = await driver.node.nodeGetVolumeStats(volume.stats(), options);
    expect(usage).toMatchObject([{ total: 16n * MiB }]);
    await takeDown(volume);
    expect(await leftoversOf(dir)).toEqual([]);
  });

  test('is published again after a restart that released its unused device', async () => {
    const volume = volumeOf();
    await driver.controller.createVolume(volume.create(), options);
    await driver.controller.controllerPublishVolume(volume.attach(), options);
    await driver.node.nodeStageVolume(volume.stage(), options);
    await driver.stop();
    driver = await serveBackend('disk', dir);
    expect(await findLoopDevice(join(driver.pool, 'images/pvc-b.img'))).toBeUndefined();
    await driver.node.nodePublishVolume(volume.publish(), options);
    expect((await stat(volume.targetPath)).isBlockDevice()).toBe(true);
    await takeDown(volume);
  });

  test('attached read-only, it takes no write', async () => {
    const volume = volumeOf(Mode.SINGLE_NODE_READER_ONLY);
    await driver.controller.createVolume(volume.create(), options);
    await driver.controller.controllerPublishVolume(volume.attach('node-a', true), options);
    await driver.node.nodeStageVolume(volume.stage(), options);
    await driver.node.nodePublishVolume(volume.publish({ readonly: true }), options);
    const device = await open(volume.targetPath, 'r+').catch(() => undefined);
    const written = await device?.write(Buffer.from('x'), 0, 1, 0).catch(() => undefined);
    await device?.close();
    expect(written).toBeUndefined();
    await takeDown(volume);
  });
});

describe('what must not happen', () => {
  const volumeOf = (capability = mountCapability('ext4')) =>
    requestsFor({ name: 'pvc-1', capability, dir, sizeBytes: 32n * MiB });

  test('a volume that is not attached here is not staged', async () => {
    const volume = volumeOf();
    await driver.controller.createVolume(volume.create(), options);
    await expect(driver.node.nodeStageVolume(volume.stage(), options)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('not attached to node node-a'),
    });
    await expect(driver.node.nodePublishVolume(volume.publish(), options)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('not staged'),
    });
    expect(await leftoversOf(dir)).toEqual(expect.not.arrayContaining([expect.stringContaining('mount')]));
  });

  test('data on an image whose stage record was lost is used, never formatted; other data is refused', async () => {
    const volume = volumeOf();
    await driver.controller.createVolume(volume.create(), options);
    await driver.controller.controllerPublishVolume(volume.attach(), options);
    const image = await open(join(driver.pool, 'images/pvc-1.img'), 'r+');
    await image.write(Buffer.from('precious'), 0, 8, 0);
    await image.close();
    await expect(driver.node.nodeStageVolume(volume.stage(), options)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('not zero'),
    });
    expect((await readFile(join(driver.pool, 'images/pvc-1.img'))).subarray(0, 8).toString()).toBe('precious');
  });

  test('a format that was cut short is done again, though the device is no longer blank', async () => {
    const volume = volumeOf();
    await driver.controller.createVolume(volume.create(), options);
    await driver.controller.controllerPublishVolume(volume.attach(), options);
    const image = await open(join(driver.pool, 'images/pvc-1.img'), 'r+');
    await image.write(Buffer.from('half of a file system'), 0, 21, 4096);
    await image.close();
    const record = {
      version: 1,
      fileSystem: { kind: 'formatting', fsType: 'ext4' },
      stagingPath: volume.stagingTargetPath,
      filledBytes: '0',
    };
    await writeFile(join(driver.pool, 'stages/pvc-1.json'), JSON.stringify(record));
    await driver.node.nodeStageVolume(volume.stage(), options);
    expect((await findMount(volume.stagingTargetPath))?.fsType).toBe('ext4');
  });

  test('a loop device that a crash orphaned is detached at the next start', async () => {
    const volume = volumeOf();
    await driver.controller.createVolume(volume.create(), options);
    await driver.stop();
    await attachLoopDevice({ file: join(dir, 'pool/images/pvc-1.img') });
    driver = await serveBackend('disk', dir);
    expect(await findLoopDevice(join(driver.pool, 'images/pvc-1.img'))).toBeUndefined();
    expect(driver.log.lines.map((line) => line.message)).toContain('Detached a loop device that nothing uses');
  });

  test('what somebody else mounted is neither unmounted nor covered', async () => {
    const volume = volumeOf();
    await bringUp(volume);
    const foreign = join(dir, 'foreign');
    await runCommand('mkdir', [foreign]);
    await runCommand('mount', ['-t', 'tmpfs', 'tmpfs', foreign]);
    await expect(
      driver.node.nodeUnpublishVolume({ volumeId: 'pvc-1', targetPath: foreign }, options),
    ).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('left alone'),
    });
    await expect(
      driver.node.nodeUnstageVolume({ volumeId: 'pvc-1', stagingTargetPath: foreign }, options),
    ).rejects.toMatchObject({ code: 'FailedPrecondition' });
    await expect(driver.node.nodePublishVolume(volume.publish({ targetPath: foreign }), options)).rejects.toMatchObject(
      { code: 'FailedPrecondition' },
    );
    expect((await findMount(foreign))?.fsType).toBe('tmpfs');
  });

  test('a target is taken from its own volume only', async () => {
    const volume = volumeOf();
    await bringUp(volume);
    const other = requestsFor({ name: 'pvc-2', capability: mountCapability('ext4'), dir, sizeBytes: 32n * MiB });
    await bringUp(other);
    const wrong = { volumeId: 'pvc-2', targetPath: volume.targetPath };
    await expect(driver.node.nodeUnpublishVolume(wrong, options)).rejects.toMatchObject({ code: 'FailedPrecondition' });
    await takeDown(other);
    // Without a device of its own now, it could be thought to own any.
    await expect(driver.node.nodeUnpublishVolume(wrong, options)).rejects.toMatchObject({ code: 'FailedPrecondition' });
    expect(await findMount(volume.targetPath)).toBeDefined();
    await takeDown(volume);
    expect(await leftoversOf(dir)).toEqual([]);
  });

  test('a namespace made while the volume was mounted delays its release, and does not lose its device', async () => {
    const volume = volumeOf();
    await bringUp(volume);
    const holder = spawn('unshare', ['--mount', 'sh', '-c', 'echo ready; read line'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = once(holder, 'exit');
    await once(holder.stdout, 'data');
    await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
    await expect(driver.node.nodeUnstageVolume(volume.unstage(), options)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('another mount namespace'),
    });
    const again = driver.node.nodeUnstageVolume(volume.unstage(), options);
    holder.stdin.end();
    await ended;
    await again;
    await driver.controller.controllerUnpublishVolume(volume.detach(), options);
    await driver.controller.deleteVolume(volume.remove(), options);
    expect(await leftoversOf(dir)).toEqual([]);
  });

  test('an image removed by hand while in use: the volume still comes down, and its device goes too', async () => {
    const volume = volumeOf();
    await bringUp(volume);
    await rm(join(driver.pool, 'images/pvc-1.img'));
    await takeDown(volume);
    expect(await leftoversOf(dir)).toEqual([]);
  });

  test('a published volume is not unstaged, a busy one not unpublished', async () => {
    const volume = volumeOf();
    await bringUp(volume);
    await expect(driver.node.nodeUnstageVolume(volume.unstage(), options)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining(volume.targetPath),
    });
    const held = await open(join(volume.targetPath, 'held'), 'w');
    await expect(driver.node.nodeUnpublishVolume(volume.unpublish(), options)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('busy'),
    });
    await held.close();
    await takeDown(volume);
    expect(await leftoversOf(dir)).toEqual([]);
  });

  test('a reader gets no writable mount, and a pod beside a writer can be a reader', async () => {
    const volume = volumeOf();
    await bringUp(volume);
    const second = join(dir, 'pods/reader');
    await driver.node.nodePublishVolume(volume.publish({ targetPath: second, readonly: true }), options);
    await expect(writeFile(join(second, 'x'), '')).rejects.toMatchObject({ code: 'EROFS' });
    await writeFile(join(volume.targetPath, 'x'), '');
    const [one, two] = [await findMount(volume.targetPath), await findMount(second)];
    expect(one !== undefined && two !== undefined && isSameDevice(one.device, two.device)).toBe(true);
    expect(two !== undefined && isReadOnlyMount(two)).toBe(true);
    await expect(driver.node.nodePublishVolume(volume.publish({ targetPath: second }), options)).rejects.toMatchObject({
      code: 'AlreadyExists',
    });
    await driver.node.nodeUnpublishVolume({ volumeId: 'pvc-1', targetPath: second }, options);
    await takeDown(volume);
    expect(await leftoversOf(dir)).toEqual([]);
  });

  test('a target that is a symbolic link is refused, and nothing is mounted where it leads', async () => {
    const volume = volumeOf();
    const folder = join(dir, 'folder');
    await mkdir(folder);
    await mkdir(dirname(volume.targetPath), { recursive: true });
    await symlink(folder, volume.targetPath);
    await expect(bringUp(volume)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('symbolic link'),
    });
    expect(await findMount(folder)).toBeUndefined();
    await unlink(volume.targetPath);
    await takeDown(volume);
  });

  test('a volume whose class mounts it with ro is staged and published so, each time', async () => {
    const volume = volumeOf();
    await bringUp(volume);
    await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
    await driver.node.nodeUnstageVolume(volume.unstage(), options);
    const capability = VolumeCapability.fromPartial({
      accessType: { $case: 'mount', value: { fsType: 'ext4', mountFlags: ['ro'] } },
      accessMode: { mode: Mode.SINGLE_NODE_WRITER },
    });
    const reader = volumeOf(capability);
    for (let time = 0; time < 2; time++) {
      await driver.node.nodeStageVolume(reader.stage(), options);
      await driver.node.nodePublishVolume(reader.publish(), options);
    }
    await expect(writeFile(join(volume.targetPath, 'x'), '')).rejects.toMatchObject({ code: 'EROFS' });
    await takeDown(volume);
  });

  test('mount options of the class reach the file system', async () => {
    const capability = VolumeCapability.fromPartial({
      accessType: { $case: 'mount', value: { fsType: 'ext4', mountFlags: ['noatime'] } },
      accessMode: { mode: Mode.SINGLE_NODE_WRITER },
    });
    const volume = volumeOf(capability);
    await bringUp(volume);
    expect((await findMount(volume.targetPath))?.options).toContain('noatime');
    await takeDown(volume);
  });
});
