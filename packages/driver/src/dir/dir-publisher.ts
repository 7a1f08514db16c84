import type { Publication, PublishRequest, VolumeStats } from '@holdfast/driver-kit';
import { boundPublications, fileSystemUsage, findMount, hasRootOf } from '@holdfast/mount';
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
    publications: (id, targetPath) => boundPublications(folders.pathOf(id), targetPath),
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
