import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { listLoopDevices, mountsUnder, readMountInfo } from '@holdfast/mount';

/** Everything a volume's life could leave behind below a folder: mounts, loop devices, files of the pool, targets. */
export async function leftoversOf(dir: string): Promise<string[]> {
  const mounts = mountsUnder(await readMountInfo(), dir).map((entry) => `mount ${entry.mountPoint}`);
  const loops = (await listLoopDevices())
    .filter((loop) => loop.backingFile.startsWith(dir))
    .map((loop) => `loop ${loop.device} ${loop.backingFile}`);
  const files: string[] = [];
  for (const folder of ['pool', 'pods']) {
    const entries = await readdir(join(dir, folder), { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (entry.name === 'controller.lock') continue;
      if (entry.isFile() || entry.name === 'mount') files.push(`file ${join(entry.parentPath, entry.name)}`);
    }
  }
  return [...mounts, ...loops, ...files];
}
