import { basename, dirname, isAbsolute, join, normalize } from 'node:path';
import { type MountEntry, readMountInfo, topMountAt } from './mount-info.ts';
import { resolveFolder } from './resolve-folder.ts';

/**
 * The path as mountinfo spells it. Symbolic links are resolved in the parent only: the path itself may be a mount whose
 * server is dead, and looking at it would hang. So may a mount around it be.
 * @throws {SilentMountError}
 */
export async function canonicalMountPoint(path: string): Promise<string> {
  requireAbsolute(path);
  const clean = normalize(path).replace(/(.)\/+$/, '$1');
  if (clean === '/') return clean;
  try {
    return join(await resolveFolder(dirname(clean)), basename(clean));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return clean;
    throw error;
  }
}

/** The mount a process sees at a path, or undefined when the path is no mount point. */
export async function findMount(path: string): Promise<MountEntry | undefined> {
  return topMountAt(await readMountInfo(), await canonicalMountPoint(path));
}

export async function isMountPoint(path: string): Promise<boolean> {
  return (await findMount(path)) !== undefined;
}

export function requireAbsolute(path: string): void {
  if (!isAbsolute(path) || path.includes('\0')) {
    throw new Error(`${JSON.stringify(path)} is not an absolute path: mounts need one`);
  }
}

export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
