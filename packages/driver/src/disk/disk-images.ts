import { open, readdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isMissing, removeFileDurably, syncFolder } from '../pool/durable-file.ts';
import { pathInside } from '../pool/path-inside.ts';

export interface DiskImages {
  readonly folder: string;
  pathOf(id: string): string;
  has(id: string): Promise<boolean>;
  /** A blank sparse file; one that is there is emptied first. */
  make(id: string, sizeBytes: bigint): Promise<void>;
  /** Only ever larger. */
  grow(id: string, sizeBytes: bigint): Promise<void>;
  remove(id: string): Promise<void>;
  /** What the image has taken from the pool so far, in bytes; 0 when there is none. */
  allocatedBytes(id: string): Promise<bigint>;
  ids(): Promise<string[]>;
}

const suffix = '.img';

export function createDiskImages(folder: string): DiskImages {
  const pathOf = (id: string): string => pathInside(folder, `${id}${suffix}`);
  return {
    folder,
    pathOf,
    has: async (id) => (await sizeOf(pathOf(id))) !== undefined,
    async make(id, sizeBytes) {
      const file = pathOf(id);
      const handle = await open(file, 'w', 0o600);
      try {
        await handle.truncate(Number(sizeBytes));
        await handle.sync();
      } finally {
        await handle.close();
      }
      await syncFolder(dirname(file));
    },
    async grow(id, sizeBytes) {
      const handle = await open(pathOf(id), 'r+');
      try {
        const { size } = await handle.stat({ bigint: true });
        if (size >= sizeBytes) return;
        await handle.truncate(Number(sizeBytes));
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
    remove: (id) => removeFileDurably(pathOf(id)),
    async allocatedBytes(id) {
      // st_blocks counts 512 bytes, stat(2).
      const found = await sizeOf(pathOf(id));
      return found === undefined ? 0n : found.blocks * 512n;
    },
    async ids() {
      return (await readdir(folder))
        .filter((name) => name.endsWith(suffix))
        .map((name) => name.slice(0, -suffix.length));
    },
  };
}

async function sizeOf(file: string): Promise<{ blocks: bigint } | undefined> {
  try {
    return await stat(file, { bigint: true });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
