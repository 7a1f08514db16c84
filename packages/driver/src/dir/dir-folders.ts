import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { copyFolder, limitSubvolume, makeSubvolume, mountsUnder, readMountInfo, syncFileSystem } from '@holdfast/mount';
import { rpcError } from '@holdfast/rpc';
import { syncFolder } from '../pool/durable-file.ts';
import { pathInside } from '../pool/path-inside.ts';

export interface DirFolders {
  pathOf(id: string): string;
  /** With a limit, which needs btrfs, it holds no more than that. */
  make(id: string, limitBytes?: bigint): Promise<void>;
  /** With the content of another folder, whole or not at all. Files written meanwhile are as they are when they are read. */
  copy(id: string, from: string, limitBytes?: bigint): Promise<void>;
  /** Of a folder that was made with one. */
  setLimit(id: string, limitBytes: bigint): Promise<void>;
  /** What copies that were cut short left behind. */
  removeUnfinished(): Promise<void>;
  /** With all its content. Absent is success. */
  remove(id: string): Promise<void>;
  ids(): Promise<string[]>;
}

const unfinished = '.part';

export function createDirFolders(data: string): DirFolders {
  const pathOf = (id: string): string => pathInside(data, id);
  return {
    pathOf,
    ids: async () => (await readdir(data)).filter((name) => !name.endsWith(unfinished)),
    setLimit: (id, limitBytes) => limitSubvolume(pathOf(id), limitBytes),
    async copy(id, from, limitBytes) {
      const folder = pathOf(id);
      // Under another name until it is whole: a copy that outlives a killed driver must not write into a later one. No id begins so.
      const partial = join(data, `.${id}.${randomUUID()}${unfinished}`);
      try {
        if (limitBytes !== undefined) {
          await makeSubvolume(partial);
          await limitSubvolume(partial, limitBytes);
        }
        await copyFolder(from, partial);
        await syncFileSystem(partial);
        await rename(partial, folder);
        await syncFolder(data);
      } finally {
        await rm(partial, { recursive: true, force: true });
      }
    },
    async removeUnfinished() {
      for (const name of await readdir(data))
        if (name.endsWith(unfinished)) await rm(join(data, name), { recursive: true, force: true });
    },
    async make(id, limitBytes) {
      const folder = pathOf(id);
      if (limitBytes === undefined) await mkdir(folder, { recursive: true });
      else {
        await makeSubvolume(folder);
        await limitSubvolume(folder, limitBytes);
      }
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
