import { mkdirSync, rmSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  attachLoopDevice,
  detachLoopDevice,
  formatBlankDevice,
  listLoopDevices,
  mountFileSystem,
  mountsUnder,
  readMountInfo,
  unmountAll,
} from '@holdfast/mount';

const poolBytes = 4 * 2 ** 30;

/** A file system of its own at the driver's pool. */
export async function mountPool(dir: string, fsType: 'xfs' | 'btrfs'): Promise<void> {
  const file = join(dir, 'pool.img');
  await writeFile(file, '');
  await truncate(file, poolBytes);
  const { device } = await attachLoopDevice({ file });
  await formatBlankDevice({ device, fsType });
  mkdirSync(join(dir, 'pool'));
  await mountFileSystem({ source: device, target: join(dir, 'pool'), fsType });
}

/** Those that kubelet makes before it calls, and removes after: the staging folder, and the one around the target. */
export function makeKubeletFolders(dir: string, volumes: readonly string[]): void {
  for (const name of volumes) {
    for (const parent of ['pods', 'staging']) mkdirSync(join(dir, parent, name), { recursive: true, mode: 0o750 });
  }
}

/** Whatever is mounted or attached below a folder goes, the innermost first, and then the folder. */
export async function takeDown(dir: string): Promise<void> {
  for (const { mountPoint } of mountsUnder(await readMountInfo(), dir).toReversed()) {
    await unmountAll(mountPoint);
    for (const { device, backingFile } of await listLoopDevices()) {
      // A device over a file of the pool holds the pool's own file system.
      if (backingFile.startsWith(`${dir}/pool/`)) await detachLoopDevice(device).catch(() => undefined);
    }
  }
  for (const { device, backingFile } of await listLoopDevices()) {
    if (backingFile.startsWith(`${dir}/`)) await detachLoopDevice(device);
  }
  rmSync(dir, { recursive: true, force: true });
}
