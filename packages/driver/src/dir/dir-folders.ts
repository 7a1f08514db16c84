import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { mountsUnder, readMountInfo } from '@holdfast/mount';
import { rpcError } from '@holdfast/rpc';
import { syncFolder } from '../pool/durable-file.ts';
import { pathInside } from '../pool/path-inside.ts';

export interface DirFolders {
  pathOf(id: string): string;
  make(id: string): Promise<void>;
  /** With all its content. Absent is success. */
  remove(id: string): Promise<void>;
  ids(): Promise<string[]>;
}

export function createDirFolders(data: string): DirFolders {
  const pathOf = (id: string): string => pathInside(data, id);
  return {
    pathOf,
    ids: () => readdir(data),
    async make(id) {
      const folder = pathOf(id);
      await mkdir(folder, { recursive: true });
      // Any user of a pod may write, as on a fresh disk's mount after fsGroup; the pool around it is closed. mkdir's mode has the umask taken off.
      await chmod(folder, 0o777);
      await syncFolder(dirname(folder));
    },
    async remove(id) {
      const folder = pathOf(id);
      const inside = mountsUnder(await readMountInfo(), folder)[0];
      // A recursive delete would go through it into someone else's files.
      if (inside !== undefined) {
        throw rpcError(
          'FailedPrecondition',
          `${inside.source} is mounted at ${inside.mountPoint}, inside the volume: unmount it first`,
        );
      }
      await rm(folder, { recursive: true, force: true });
      await syncFolder(dirname(folder));
    },
  };
}
