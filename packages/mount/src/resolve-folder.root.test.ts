import { mkdir, mkdtemp, open, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { canonicalMountPoint, runCommand, SilentMountError, unmountAll } from './index.ts';
import { resolveBeside } from './resolve-folder.ts';

let dir: string;
beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'hf-resolve-')));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

describe('beside a mount whose server never answers', () => {
  let server: Awaited<ReturnType<typeof open>>;
  beforeEach(async () => {
    await mkdir(join(dir, 'dead'));
    server = await open('/dev/fuse', 'r+');
    const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
    await runCommand(
      'mount',
      ['--internal-only', '--no-canonicalize', '-t', 'fuse', '-o', options, 'x', `${dir}/dead`],
      {
        inheritedFd: server.fd,
      },
    );
  });
  afterEach(async () => {
    await server.close();
    await unmountAll(join(dir, 'dead'));
  });

  test('the mount itself is named without a look at it, also through links', async () => {
    await symlink('dead', join(dir, 'link'));
    await symlink(dir, join(dir, 'around'));
    expect(await canonicalMountPoint(join(dir, 'dead'))).toBe(join(dir, 'dead'));
    expect(await canonicalMountPoint(join(dir, 'link'))).toBe(join(dir, 'link'));
    expect(await canonicalMountPoint(join(dir, 'around', 'around', 'dead'))).toBe(join(dir, 'dead'));
  });

  test('other folders are resolved as realpath(3) does, what is missing keeps its name', async () => {
    await mkdir(join(dir, 'real', 'deep'), { recursive: true });
    await symlink('real/./deep/../deep', join(dir, 'relative'));
    await symlink('loop', join(dir, 'loop'));
    expect(await canonicalMountPoint(join(dir, 'relative', 'target'))).toBe(join(dir, 'real', 'deep', 'target'));
    expect(await canonicalMountPoint(join(dir, 'missing', 'target'))).toBe(join(dir, 'missing', 'target'));
    await expect(canonicalMountPoint(join(dir, 'loop', 'target'))).rejects.toMatchObject({ code: 'ELOOP' });
  });

  test('what lies on it is an error that names it, by its path and by a link', { timeout: 180_000 }, async () => {
    await symlink('dead/inside', join(dir, 'link'));
    for (const path of ['dead/target', 'link/target']) {
      await expect(canonicalMountPoint(join(dir, path))).rejects.toThrow(SilentMountError);
    }
  });
});

test('beneath a mount that answers, what a server holds is resolved, and what is missing keeps its name', async () => {
  // 9p, NFS and FUSE are not at hand everywhere; what decides is the type that mountinfo tells, and a child asks.
  await mkdir(join(dir, 'export', 'deep'), { recursive: true });
  await symlink('deep', join(dir, 'export', 'link'));
  const served = new Map([[join(dir, 'export'), { mountPoint: join(dir, 'export'), source: 's', fsType: 'nfs4' }]]);
  expect(await resolveBeside(join(dir, 'export', 'link'), served)).toBe(join(dir, 'export', 'deep'));
  await expect(resolveBeside(join(dir, 'export', 'missing'), served)).rejects.toMatchObject({ code: 'ENOENT' });
});
