import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attachLoopDevice, detachLoopDevice, mountFileSystem, runCommand, unmountAll } from '@holdfast/mount';

export interface SmallPool {
  readonly path: string;
  /** Takes all that is left, in one file. */
  fill(): Promise<void>;
  /** Gives it back. */
  empty(): Promise<void>;
  remove(): Promise<void>;
}

/** A pool on an ext4 of its own, which can be filled, made read-only and taken away. */
export async function makeSmallPool(
  dir: string,
  sizeMiB: number,
  mkfsArgs: readonly string[] = [],
): Promise<SmallPool> {
  const [file, path] = [join(dir, 'pool.img'), join(dir, 'pool')];
  await writeFile(file, '');
  await truncate(file, sizeMiB * 2 ** 20);
  await mkdir(path, { recursive: true });
  const { device } = await attachLoopDevice({ file });
  await runCommand('mkfs.ext4', ['-q', '-m0', '-F', ...mkfsArgs, device]);
  await mountFileSystem({ source: device, target: path, fsType: 'ext4' });
  const filler = join(path, 'filler');
  return {
    path,
    async fill() {
      // dd ends with 1 when nothing more fits, which is what is wanted.
      await runCommand('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k', 'conv=fsync'], { okExitCodes: [0, 1] });
    },
    empty: async () => void (await runCommand('rm', ['--force', filler])),
    async remove() {
      await unmountAll(path);
      await detachLoopDevice(device);
    },
  };
}
