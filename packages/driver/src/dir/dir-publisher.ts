import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Publication, PublishRequest, VolumeStats } from '@holdfast/driver-kit';
import {
  canonicalMountPoint,
  fileSystemUsage,
  findMount,
  isReadOnlyMount,
  type MountEntry,
  readMountInfo,
  topMountAt,
} from '@holdfast/mount';
import { isMissing } from '../pool/durable-file.ts';
import { publishFolder, unpublishTarget } from '../target-path.ts';
import type { DirFolders } from './dir-folders.ts';

export interface DirPublisher {
  publications(id: string, targetPath: string): Promise<Publication[]>;
  publish(request: PublishRequest): Promise<void>;
  unpublish(id: string, targetPath: string): Promise<void>;
  stats(id: string, path: string): Promise<VolumeStats | undefined>;
}

export function createDirPublisher(folders: DirFolders): DirPublisher {
  return {
    async publications(id, targetPath) {
      const asked = await canonicalMountPoint(targetPath);
      return (await boundTargets(folders.pathOf(id))).map((entry) => ({
        targetPath: entry.mountPoint === asked ? targetPath : entry.mountPoint,
        isReadOnly: isReadOnlyMount(entry),
        kind: 'mount',
      }));
    },
    publish: ({ volume, targetPath, isReadOnly }) =>
      publishFolder({ source: folders.pathOf(volume.id), target: targetPath, isReadOnly }),
    unpublish: (id, targetPath) => unpublishTarget(targetPath, (entry) => hasRootOf(entry, folders.pathOf(id))),
    async stats(id, path) {
      const entry = await findMount(path);
      if (entry === undefined || !hasRootOf(entry, folders.pathOf(id))) return undefined;
      const { totalBytes, usedBytes, availableBytes, inodes } = await fileSystemUsage(path);
      return {
        bytes: { total: totalBytes, used: usedBytes, available: availableBytes },
        ...(inodes === undefined ? {} : { inodes }),
      };
    },
  };
}

/** Mounts that show a folder, proven by device and inode: names alone could be those of another pool. */
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

// mountinfo's root is the path within the file system, which need not begin where the pool's path does.
function hasRootOf(entry: MountEntry, folder: string): boolean {
  return entry.root.endsWith(`/${basename(dirname(folder))}/${basename(folder)}`);
}

async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
