import { chmod, chown, lchown, lstat, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { giveToGroup } from './group-ownership.ts';
import { runCommand } from './index.ts';

let dir: string;
let volume: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hf-group-'));
  volume = join(dir, 'volume');
  await mkdir(join(volume, 'folder'), { recursive: true });
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const gid = 4321;
const modeOf = async (path: string) => {
  const { mode, uid, gid: group } = await lstat(path);
  return { mode: (mode & 0o7777).toString(8), uid, gid: group };
};

test('files become readable and writable for the group, folders hand it on, owners and other bits stay', async () => {
  const file = join(volume, 'folder', 'file');
  await writeFile(file, '', { mode: 0o640 });
  await chown(file, 77, 88);
  const program = join(volume, 'program');
  await writeFile(program, '');
  await chmod(program, 0o4755);
  await chmod(join(volume, 'folder'), 0o700);
  await runCommand('mkfifo', [join(volume, 'pipe')]);
  await giveToGroup(volume, gid);
  expect(await modeOf(file)).toEqual({ mode: '660', uid: 77, gid });
  expect(await modeOf(program)).toEqual({ mode: '4775', uid: 0, gid });
  expect(await modeOf(join(volume, 'folder'))).toEqual({ mode: '2770', uid: 0, gid });
  expect((await modeOf(join(volume, 'pipe'))).gid).toBe(gid);
  expect(await modeOf(volume)).toMatchObject({ mode: '2775', gid });
  await writeFile(join(volume, 'folder', 'later'), '');
  expect((await stat(join(volume, 'folder', 'later'))).gid).toBe(gid);
});

test('nothing outside is touched: neither through a symbolic link nor through a mount', async () => {
  const outside = join(dir, 'outside');
  await mkdir(join(outside, 'folder'), { recursive: true });
  await chmod(outside, 0o700);
  await symlink(outside, join(volume, 'link'));
  await lchown(join(volume, 'link'), 5, 5);
  const inside = join(volume, 'folder');
  await runCommand('mount', ['-t', 'tmpfs', '-o', 'mode=700', 'tmpfs', inside]);
  try {
    await giveToGroup(volume, gid);
    expect(await modeOf(join(volume, 'link'))).toMatchObject({ uid: 5, gid });
    expect(await modeOf(outside)).toEqual({ mode: '700', uid: 0, gid: 0 });
    expect(await modeOf(inside)).toEqual({ mode: '700', uid: 0, gid: 0 });
    await expect(giveToGroup(join(volume, 'link'), gid)).rejects.toMatchObject({ code: 'ENOTDIR' });
  } finally {
    await runCommand('umount', [inside]);
  }
});

test('what was cut short is done by the next call, and what is done costs no second walk', async () => {
  // The root comes last, so a walk that ended early leaves it as it was.
  const file = join(volume, 'file');
  await writeFile(file, '');
  await chown(join(volume, 'folder'), 0, gid);
  await giveToGroup(volume, gid);
  expect((await stat(file)).gid).toBe(gid);
  // A sign that nobody looked below a root that has the group.
  await chown(file, 0, 0);
  await giveToGroup(volume, gid);
  expect((await stat(file)).gid).toBe(0);
  await giveToGroup(volume, gid + 1);
  expect((await stat(file)).gid).toBe(gid + 1);
});
