import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { listLoopDevices, mountsUnder, readMountInfo } from '@holdfast/mount';

/** Everything below a folder that a call can make and must take away again: mounts, loop devices, files and folders, sorted. */
export async function inventoryOf(dir: string): Promise<string[]> {
  const mounts = mountsUnder(await readMountInfo(), dir);
  const found = mounts.map(({ mountPoint, fsType }) => `mount ${mountPoint} (${fsType})`);
  for (const { backingFile } of await listLoopDevices()) {
    if (backingFile.startsWith(`${dir}/`)) found.push(`loop device over ${backingFile}`);
  }
  const mountPoints = new Set(mounts.map(({ mountPoint }) => mountPoint));
  for (const name of ['pool', 'pods', 'staging']) found.push(...(await entriesOf(join(dir, name), mountPoints)));
  return found.toSorted();
}

/** What lies inside a volume is not the driver's. */
async function entriesOf(folder: string, mountPoints: ReadonlySet<string>): Promise<string[]> {
  // The pool may be a file system of its own.
  if (mountPoints.has(folder) && !folder.endsWith('/pool')) return [];
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    found.push(`${entry.isDirectory() ? 'folder' : 'file'} ${path}`);
    // A volume's own folder: what is in it is its user's.
    const isContent = /\/pool\/(data|snapshot-data)$/.test(folder);
    if (entry.isDirectory() && !isContent) found.push(...(await entriesOf(path, mountPoints)));
  }
  return found;
}
