import { mkdir, open, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { isPublishedDevice, publishBlockDevice } from './block-publish.ts';
import { runCommand } from './command.ts';
import {
  checkFileSystem,
  FileSystemDamagedError,
  formatAgain,
  formatBlankDevice,
  growFileSystem,
  growUnmountedFileSystem,
  NotBlankError,
  OnlineGrowthRefusedError,
} from './file-systems.ts';
import {
  attachLoopDevice,
  blockDeviceSizeBytes,
  detachLoopDevice,
  findLoopDevice,
  listLoopDevices,
  refreshLoopDevice,
} from './loop-devices.ts';
import { bindMount, mountFileSystem } from './mount.ts';
import { isReadOnlyMount, mountsUnder, readMountInfo } from './mount-info.ts';
import { findMount, isMountPoint } from './mount-point.ts';
import { probeDevice } from './probe.ts';
import { canGrowMountedExt } from './process-capabilities.ts';
import { createLoopFixture, type LoopFixture } from './testing/loop-fixture.ts';
import { cleanupMountPoint, MountBusyError, unmountAll } from './unmount.ts';
import { fileSystemUsage } from './usage.ts';

const MiB = 1024 * 1024;
let fixture: LoopFixture;
beforeEach(async () => {
  fixture = await createLoopFixture();
});
afterEach(async () => {
  await fixture.cleanUp();
});

describe('loop devices', () => {
  test('attaching twice gives one device, and detaching leaves none', async () => {
    const file = await fixture.image('a volume.img', 8 * MiB);
    const [one, two] = await Promise.all([attachLoopDevice({ file }), attachLoopDevice({ file })]);
    expect(two.device).toBe(one.device);
    expect((await attachLoopDevice({ file })).device).toBe(one.device);
    await expect(attachLoopDevice({ file, isReadOnly: true })).rejects.toThrow(`attached writable at ${one.device}`);
    await detachLoopDevice(one.device);
    expect(await findLoopDevice(file)).toBeUndefined();
    await detachLoopDevice(one.device);
  });

  test('a device in use is not detached', async () => {
    const file = await fixture.image('busy.img', 8 * MiB);
    const { device } = await attachLoopDevice({ file });
    await formatBlankDevice({ device, fsType: 'ext4' });
    const target = await fixture.folder('m');
    await mountFileSystem({ source: device, target, fsType: 'ext4' });
    await expect(detachLoopDevice(device)).rejects.toThrow('in use: unmount');
    expect((await listLoopDevices()).find((loop) => loop.device === device)?.isAutoclear).toBe(false);
  });

  test('the image is found by inode, also under another name', async () => {
    const file = await fixture.image('first.img', 8 * MiB);
    const { device } = await attachLoopDevice({ file });
    await runCommand('mv', [file, join(fixture.dir, 'second.img')]);
    expect((await findLoopDevice(join(fixture.dir, 'second.img')))?.device).toBe(device);
    await detachLoopDevice(device);
  });
});

describe('formatting', () => {
  test('only what is proven blank is formatted', async () => {
    const file = await fixture.image('data.img', 8 * MiB);
    const handle = await open(file, 'r+');
    await handle.write(Buffer.from('precious'), 0, 8, 8 * MiB - 8);
    await handle.close();
    const { device } = await attachLoopDevice({ file });
    expect(await probeDevice(device)).toMatchObject({ kind: 'unknown' });
    await expect(formatBlankDevice({ device, fsType: 'ext4' })).rejects.toThrow(NotBlankError);
    expect((await readFile(file)).subarray(-8).toString()).toBe('precious');

    await formatAgain({ device, fsType: 'ext4' });
    expect(await probeDevice(device)).toEqual({ kind: 'fileSystem', fsType: 'ext4' });
    await expect(formatBlankDevice({ device, fsType: 'ext4' })).rejects.toThrow('file system of type ext4');
  });

  test('a partition table is never formatted over', async () => {
    const file = await fixture.image('parts.img', 8 * MiB);
    const handle = await open(file, 'r+');
    // An MBR with one Linux partition.
    const sector = Buffer.alloc(512);
    sector.writeUInt8(0x83, 446 + 4);
    sector.writeUInt32LE(2048, 446 + 8);
    sector.writeUInt32LE(4096, 446 + 12);
    sector.writeUInt16LE(0xaa55, 510);
    await handle.write(sector, 0, 512, 0);
    await handle.close();
    const { device } = await attachLoopDevice({ file });
    expect(await probeDevice(device)).toEqual({ kind: 'partitions', tableType: 'dos' });
    await expect(formatBlankDevice({ device, fsType: 'ext4' })).rejects.toThrow('partition table of type dos');
  });

  test('a mounted device is not formatted again', async () => {
    const { device } = await attachLoopDevice({ file: await fixture.image('m.img', 8 * MiB) });
    await formatBlankDevice({ device, fsType: 'ext4' });
    await mountFileSystem({ source: device, target: await fixture.folder('m'), fsType: 'ext4' });
    await expect(formatAgain({ device, fsType: 'ext4' })).rejects.toThrow('another process has it open');
  });

  test('damage that fsck does not repair by itself is refused', async () => {
    const { device } = await attachLoopDevice({ file: await fixture.image('damaged.img', 16 * MiB) });
    await formatBlankDevice({ device, fsType: 'ext4' });
    expect(await checkFileSystem(device, 'ext4')).toEqual({ isCorrected: false });
    // Clears the root folder's inode: nothing that "-a" may decide on alone.
    await runCommand('debugfs', ['-w', '-R', 'clri <2>', device]);
    await runCommand('debugfs', ['-w', '-R', 'ssv state 2', device]);
    await expect(checkFileSystem(device, 'ext4')).rejects.toThrow(FileSystemDamagedError);
  });
});

describe.each([
  ['ext4', 32],
  ['xfs', 300],
  ['btrfs', 256],
] as const)('%s', (fsType, sizeMiB) => {
  test('formats, keeps data, grows while mounted', async () => {
    const file = await fixture.image('fs.img', sizeMiB * MiB);
    const { device } = await attachLoopDevice({ file });
    await formatBlankDevice({ device, fsType });
    const target = await fixture.folder('mounted here');
    const entry = await mountFileSystem({ source: device, target, fsType, options: ['noatime'] });
    expect(entry).toMatchObject({ fsType, source: device, mountPoint: target });
    if (fsType === 'xfs') expect(entry.superOptions).toContain('nouuid');
    await writeFile(join(target, 'bytes'), 'kept');
    const before = await fileSystemUsage(target);

    await truncate(file, sizeMiB * 2 * MiB);
    expect(await refreshLoopDevice(device)).toBe(BigInt(sizeMiB * 2 * MiB));
    if (fsType === 'ext4' && !(await canGrowMountedExt())) {
      // The kernel refuses; the promise is then the error that says so, and growth before the next mount.
      await expect(growFileSystem({ device, fsType, mountPoint: target })).rejects.toThrow(OnlineGrowthRefusedError);
      await unmountAll(target);
      await growUnmountedFileSystem({ device, fsType });
      await mountFileSystem({ source: device, target, fsType });
    }
    await growFileSystem({ device, fsType, mountPoint: target });
    await growFileSystem({ device, fsType, mountPoint: target });
    const after = await fileSystemUsage(target);
    expect(after.totalBytes).toBeGreaterThan((before.totalBytes * 3n) / 2n);
    expect(after.inodes === undefined).toBe(fsType === 'btrfs');

    await unmountAll(target);
    await mountFileSystem({ source: device, target, fsType });
    expect(await readFile(join(target, 'bytes'), 'utf8')).toBe('kept');
    await cleanupMountPoint(target);
    await detachLoopDevice(device);
    expect(await fixture.cleanUp()).toEqual({ mounts: [], loops: [] });
  });
});

describe('bind mounts', () => {
  test('read-only is what the kernel says, and holds', async () => {
    const source = await fixture.folder('source');
    const target = await fixture.folder('target');
    const entry = await bindMount({ source, target, isReadOnly: true });
    expect(isReadOnlyMount(entry)).toBe(true);
    await expect(writeFile(join(target, 'x'), '')).rejects.toMatchObject({ code: 'EROFS' });
    await writeFile(join(source, 'x'), '');
  });

  test('nothing is mounted through a symbolic link', async () => {
    const [source, folder] = [await fixture.folder('source'), await fixture.folder('folder')];
    const target = join(fixture.dir, 'link');
    await symlink(folder, target);
    await expect(bindMount({ source, target })).rejects.toThrow(`${target} is a symbolic link`);
    await expect(mountFileSystem({ source: '/dev/null', target, fsType: 'tmpfs' })).rejects.toThrow('symbolic link');
    expect(await isMountPoint(folder)).toBe(false);
  });

  test('a target exchanged for a link, or moved away, while mount is on its way leaves nothing mounted anywhere', async () => {
    const [source, elsewhere, bin] = [
      await fixture.folder('source'),
      await fixture.folder('elsewhere'),
      await fixture.folder('bin'),
    ];
    const target = await fixture.folder('target');
    // Stands before the real mount, in the moment between the look at the target and the system call.
    const script = `#!/bin/sh\nmv ${target} ${target}.moved\nln -s ${elsewhere} ${target}\nexec /bin/mount "$@"\n`;
    await writeFile(join(bin, 'mount'), script, { mode: 0o755 });
    vi.stubEnv('PATH', `${bin}:${process.env.PATH ?? ''}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(bindMount({ source, target })).rejects.toThrow(/nothing is mounted at/);
    expect(mountsUnder(await readMountInfo(), fixture.dir)).toEqual([]);
  });

  test('stacked mounts go in one call, a busy one is named', async () => {
    const source = await fixture.folder('source');
    const target = await fixture.folder('target');
    for (let layer = 0; layer < 3; layer++) await bindMount({ source, target });
    const file = await open(join(target, 'held'), 'w');
    await expect(unmountAll(target)).rejects.toThrow(MountBusyError);
    await file.close();
    expect(await unmountAll(target)).toBe(3);
    expect(await unmountAll(target)).toBe(0);
    expect(await isMountPoint(target)).toBe(false);
  });

  test('cleaning a target up never deletes content', async () => {
    const source = await fixture.folder('source');
    await writeFile(join(source, 'data'), 'kept');
    const target = await fixture.folder('target');
    await writeFile(join(target, 'stray'), 'written while unmounted');
    await bindMount({ source, target });
    await expect(cleanupMountPoint(target)).rejects.toThrow('folder with content');
    expect(await readFile(join(source, 'data'), 'utf8')).toBe('kept');
    expect(await readFile(join(target, 'stray'), 'utf8')).toBe('written while unmounted');
    await rm(join(target, 'stray'));
    await cleanupMountPoint(target);
    await cleanupMountPoint(target);
    await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('a source that was removed shows as deleted and still unmounts', async () => {
    const source = await fixture.folder('source');
    const target = await fixture.folder('target');
    await bindMount({ source, target });
    await rm(source, { recursive: true });
    expect(await findMount(target)).toMatchObject({ isRootDeleted: true, mountPoint: target });
    await cleanupMountPoint(target);
  });

  test('works for root of a user namespace, read-only too', async () => {
    const source = await fixture.folder('source');
    await mkdir(join(fixture.dir, 'target'));
    const script = `
      const { bindMount, unmountAll, isReadOnlyMount } = await import(${JSON.stringify(import.meta.resolve('./index.ts'))});
      const entry = await bindMount({ source: ${JSON.stringify(source)}, target: ${JSON.stringify(join(fixture.dir, 'target'))}, isReadOnly: true });
      console.log(isReadOnlyMount(entry), await unmountAll(entry.mountPoint));`;
    const args = ['--user', '--map-root-user', '--mount', process.execPath, '--input-type=module', '--eval', script];
    expect((await runCommand('unshare', args)).stdout.trim()).toBe('true 1');
  });
});

test('a block device is published on a file, read-only by its device', async () => {
  const { device } = await attachLoopDevice({ file: await fixture.image('block.img', 4 * MiB), isReadOnly: true });
  const target = join(fixture.dir, 'pods', 'block');
  await publishBlockDevice({ device, target, isReadOnly: true });
  expect(await isPublishedDevice(target, device)).toBe(true);
  expect(await isPublishedDevice(target, '/dev/loop-control').catch(() => false)).toBe(false);
  expect(await blockDeviceSizeBytes(device)).toBe(BigInt(4 * MiB));
  const handle = await open(target, 'r+').catch(() => undefined);
  const written = await handle?.write(Buffer.from('x'), 0, 1, 0).catch(() => undefined);
  await handle?.close();
  expect(written).toBeUndefined();
  await cleanupMountPoint(target);
  await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
});
