import { lstat, rmdir, unlink } from 'node:fs/promises';
import { CommandError, runCommand } from './command.ts';
import { mountsAt, readMountInfo } from './mount-info.ts';
import { canonicalMountPoint, isErrno } from './mount-point.ts';

export interface UnmountOptions {
  /** For one layer. Default 30 000. */
  readonly timeoutMs?: number;
  /** `umount -f`: gives up outstanding requests to a server that does not answer. */
  readonly isForced?: boolean;
}

// Far above what a re-stage leaves behind, and an end to a loop that someone else keeps feeding.
const maxLayers = 64;

/** The mount could not be taken away because something holds it. */
export class MountBusyError extends Error {
  constructor(path: string, reason: string) {
    super(`${path} is still in use: ${reason}`);
    this.name = 'MountBusyError';
  }
}

/**
 * Takes away every layer mounted on a path. Nothing mounted is success.
 * @returns how many layers there were.
 * @throws {MountBusyError} while somebody has a file open there.
 */
export async function unmountAll(path: string, options: UnmountOptions = {}): Promise<number> {
  const mountPoint = await canonicalMountPoint(path);
  for (let layers = 0; layers < maxLayers; layers++) {
    if (mountsAt(await readMountInfo(), mountPoint).length === 0) return layers;
    await unmountLayer(mountPoint, options);
  }
  throw new Error(`${mountPoint} is still mounted after ${maxLayers} unmounts: something keeps mounting there`);
}

/** Takes away the top layer. `mountPoint` is canonical, so that umount need not look at what may be dead. */
export async function unmountLayer(mountPoint: string, options: UnmountOptions = {}): Promise<void> {
  const { timeoutMs = 30_000, isForced = false } = options;
  try {
    await runCommand('umount', ['--no-canonicalize', ...(isForced ? ['--force'] : []), mountPoint], { timeoutMs });
  } catch (error) {
    // umount(8) ends with 32 for "busy" as for "not mounted": only the message tells.
    if (error instanceof CommandError && error.failure.kind === 'exit') {
      const message = error.failure.output;
      if (/not mounted|no mount point specified/.test(message)) return;
      if (/target is busy/.test(message)) throw new MountBusyError(mountPoint, message);
    }
    throw error;
  }
}

/**
 * Unmounts a target and removes the empty folder or file that was made for it. It never deletes content: were the
 * unmount incomplete, a recursive delete would reach into the volume.
 */
export async function cleanupMountPoint(path: string, options: UnmountOptions = {}): Promise<void> {
  const mountPoint = await canonicalMountPoint(path);
  await unmountAll(mountPoint, options);
  try {
    const found = await lstat(mountPoint);
    if (found.isDirectory()) return await rmdir(mountPoint);
    if (found.isFile() && found.size === 0) return await unlink(mountPoint);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw leftover(mountPoint, 'a folder with content');
    throw error;
  }
  throw leftover(mountPoint, 'no empty folder or file');
}

function leftover(mountPoint: string, what: string): Error {
  return new Error(
    `${mountPoint} is unmounted but is ${what}: it was written while nothing was mounted. Move it away by hand`,
  );
}
