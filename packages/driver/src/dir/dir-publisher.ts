import type { Publication, PublishRequest, Volume, VolumeStats } from '@holdfast/driver-kit';
import { boundPublications, fileSystemUsage, findMount, hasRootOf } from '@holdfast/mount';
import { publishFolder, unpublishTarget } from '../target-path.ts';
import type { DirFolders } from './dir-folders.ts';
import { enforcedFigures, limitOf } from './enforced-size.ts';

export interface DirPublisher {
  publications(id: string, targetPath: string): Promise<Publication[]>;
  publish(request: PublishRequest): Promise<void>;
  unpublish(id: string, targetPath: string): Promise<void>;
  stats(volume: Volume, path: string): Promise<VolumeStats | undefined>;
}

export function createDirPublisher(folders: DirFolders): DirPublisher {
  return {
    publications: (id, targetPath) => boundPublications(folders.pathOf(id), targetPath),
    publish: ({ volume, targetPath, isReadOnly }) =>
      publishFolder({ source: folders.pathOf(volume.id), target: targetPath, isReadOnly }),
    unpublish: (id, targetPath) => unpublishTarget(targetPath, (entry) => hasRootOf(entry, folders.pathOf(id))),
    async stats(volume, path) {
      const entry = await findMount(path);
      if (entry === undefined || !hasRootOf(entry, folders.pathOf(volume.id))) return undefined;
      const { totalBytes, usedBytes, availableBytes, inodes } = await fileSystemUsage(path);
      // statfs tells of the whole file system, whatever the limit of a subvolume.
      if (limitOf(volume) !== undefined) return { bytes: await enforcedFigures(volume, path, availableBytes) };
      return {
        bytes: { total: totalBytes, used: usedBytes, available: availableBytes },
        ...(inodes === undefined ? {} : { inodes }),
      };
    },
  };
}
