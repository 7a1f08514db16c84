import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { isReadOnlyMount, type MountEntry, readMountInfo, topMountAt } from './mount-info.ts';
import { canonicalMountPoint, isErrno } from './mount-point.ts';

/** Mounts that show a folder, proven by device and inode: names alone could be those of another tree. */
export async function boundTargets(folder: string): Promise<MountEntry[]> {
  const entries = await readMountInfo();
  const wanted = await identityOf(folder);
  const found: MountEntry[] = [];
  for (const entry of entries) {
    const isTop = topMountAt(entries, entry.mountPoint) === entry;
    if (!isTop || wanted === undefined || !hasRootOf(entry, folder)) continue;
    if ((await identityOf(entry.mountPoint)) === wanted) found.push(entry);
  }
  return found;
}

/** The same, as a driver's publications: the one at `asked` under that spelling. */
export async function boundPublications(
  folder: string,
  asked: string,
): Promise<{ readonly targetPath: string; readonly isReadOnly: boolean; readonly kind: 'mount' }[]> {
  const place = await canonicalMountPoint(asked);
  return (await boundTargets(folder)).map((entry) => ({
    targetPath: entry.mountPoint === place ? asked : entry.mountPoint,
    isReadOnly: isReadOnlyMount(entry),
    kind: 'mount',
  }));
}

/** By the last two names: mountinfo's root is the path within the file system, which need not begin where the folder's does. */
export function hasRootOf(entry: MountEntry, folder: string): boolean {
  return entry.root.endsWith(`/${basename(dirname(folder))}/${basename(folder)}`);
}

async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
