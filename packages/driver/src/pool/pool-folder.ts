import { randomUUID } from 'node:crypto';
import { mkdir, open, realpath, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '@holdfast/core';
import { fileSystemUsage, findWritability } from '@holdfast/mount';

export class PoolError extends Error {
  constructor(folder: string, cause: unknown) {
    super(
      `the pool ${folder} cannot be used: ${errorMessage(cause)}. --pool-dir must name a folder that the driver can write to`,
      { cause },
    );
    this.name = 'PoolError';
  }
}

/**
 * Makes the pool and its folders, proves that it can be written, and returns its real path, as the kernel reports backing files and
 * mounts.
 * @throws PoolError
 */
export async function openPool(folder: string, subfolders: readonly string[]): Promise<string> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const pool = await realpath(folder);
    for (const name of subfolders) await mkdir(join(pool, name), { recursive: true, mode: 0o700 });
    await proveWritable(pool);
    return pool;
  } catch (error) {
    throw new PoolError(folder, error);
  }
}

async function proveWritable(pool: string): Promise<void> {
  const probe = join(pool, `.write-test.${randomUUID()}`);
  const handle = await open(probe, 'w', 0o600);
  await handle.close();
  await unlink(probe);
}

/** For Probe: asks and writes nothing. A pool gone, remounted read-only, or silent is told. @throws PoolError */
export async function requireWritable(pool: string): Promise<void> {
  const found = await findWritability(pool).catch((error: unknown) => {
    throw new PoolError(pool, error);
  });
  if (found === 'refused') throw new PoolError(pool, new Error('it is missing, or its file system is read-only'));
  if (found === 'silent') throw new PoolError(pool, new Error('the file system it lies on does not answer'));
}

export async function poolSpace(pool: string): Promise<{ totalBytes: bigint; availableBytes: bigint }> {
  const { totalBytes, availableBytes } = await fileSystemUsage(pool);
  return { totalBytes, availableBytes };
}
