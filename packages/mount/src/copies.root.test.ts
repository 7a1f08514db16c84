import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCommand } from './command.ts';
import { copyFolder, copySparseFile, reflinkFile } from './copy-file.ts';
import { type FileSystemType, formatBlankDevice } from './file-systems.ts';
import { freezeFileSystem, thawFileSystem } from './freeze.ts';
import { labelFileSystem, renewUuid } from './identity.ts';
import { attachLoopDevice } from './loop-devices.ts';
import { mountFileSystem } from './mount.ts';
import { createLoopFixture, type LoopFixture } from './testing/loop-fixture.ts';

const MiB = 1024 * 1024;
let fixture: LoopFixture;
beforeEach(async () => {
  fixture = await createLoopFixture();
});
afterEach(async () => {
  await fixture.cleanUp();
});

async function mounted(
  name: string,
  fsType: FileSystemType,
  sizeMiB: number,
): Promise<{ file: string; device: string; target: string }> {
  const file = await fixture.image(`${name}.img`, sizeMiB * MiB);
  const { device } = await attachLoopDevice({ file });
  await formatBlankDevice({ device, fsType });
  const target = await fixture.folder(name);
  await mountFileSystem({ source: device, target, fsType });
  return { file, device, target };
}

describe.each([
  ['ext4', 32],
  ['xfs', 320],
  ['btrfs', 256],
] as const)('%s', (fsType, sizeMiB) => {
  test('frozen, its copy holds all that was written and is mounted beside it; thawed, it is written again', async () => {
    const { file, target } = await mounted('one', fsType, sizeMiB);
    await writeFile(join(target, 'bytes'), 'not synced');
    await freezeFileSystem(target);
    const copy = join(fixture.dir, 'copy.img');
    try {
      await copySparseFile(file, copy);
    } finally {
      await thawFileSystem(target);
    }
    await thawFileSystem(target);
    await writeFile(join(target, 'bytes'), 'changed');
    const { blocks, size } = await stat(copy);
    expect(size).toBe(sizeMiB * MiB);
    expect(blocks * 512).toBeLessThan(size / 2);

    const { device } = await attachLoopDevice({ file: copy });
    await renewUuid({ device, fsType });
    const beside = await fixture.folder('beside');
    await mountFileSystem({ source: device, target: beside, fsType });
    expect(await readFile(join(beside, 'bytes'), 'utf8')).toBe('not synced');
  });

  test('takes a label while it is mounted', async () => {
    const { device, target } = await mounted('one', fsType, sizeMiB);
    await labelFileSystem({ device, fsType, mountPoint: target, label: 'gold' });
    await runCommand('sync', ['--file-system', target]);
    expect((await runCommand('blkid', ['--probe', '--output', 'value', '--match-tag', 'LABEL', device])).stdout).toBe(
      'gold\n',
    );
    await labelFileSystem({ device, fsType, mountPoint: target, label: '' });
  });
});

test.each([
  ['xfs', 320, true],
  ['btrfs', 256, true],
  ['ext4', 32, false],
] as const)('on %s (%i MiB) a file is cloned at once: %s', async (fsType, sizeMiB, can) => {
  const { target } = await mounted('pool', fsType, sizeMiB);
  const [source, copy] = [join(target, 'a'), join(target, 'b')];
  await writeFile(source, 'x'.repeat(MiB));
  expect(await reflinkFile(source, copy)).toBe(can);
  await writeFile(source, 'y'.repeat(MiB));
  if (can) expect((await readFile(copy, 'utf8'))[0]).toBe('x');
  else await expect(stat(copy)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a folder is copied with modes and links', async () => {
  const source = await fixture.folder('source');
  await writeFile(join(source, 'bytes'), 'kept', { mode: 0o640 });
  await runCommand('ln', ['-s', 'bytes', join(source, 'link')]);
  const target = join(fixture.dir, 'target');
  await copyFolder(source, target);
  expect(await readFile(join(target, 'link'), 'utf8')).toBe('kept');
  expect((await stat(join(target, 'bytes'))).mode & 0o777).toBe(0o640);
});
