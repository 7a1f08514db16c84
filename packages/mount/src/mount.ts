import { constants } from 'node:fs';
import { type FileHandle, open, readlink } from 'node:fs/promises';
import { runCommand } from './command.ts';
import { isReadOnlyMount, type MountEntry, readMountInfo, topMountAt } from './mount-info.ts';
import { canonicalMountPoint, findMount, isErrno, requireAbsolute } from './mount-point.ts';
import { unmountLayer } from './unmount.ts';

/** A mount at a symbolic link would land where the link leads: in somebody else's folder, where no unmount of ours looks for it. */
export class SymbolicLinkError extends Error {
  constructor(target: string) {
    super(
      `${target} is a symbolic link, and nothing is mounted through one: remove it, or name the folder it leads to`,
    );
    this.name = 'SymbolicLinkError';
  }
}

export interface MountOptions {
  readonly source: string;
  readonly target: string;
  readonly fsType: string;
  /** Each becomes one element of `-o`. */
  readonly options?: readonly string[];
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Mounts a file system. The target must exist. Adds what the file system needs: xfs gets `nouuid`, because a clone or a
 * restored snapshot carries the UUID of its source and the kernel refuses the second one.
 */
export async function mountFileSystem(options: MountOptions): Promise<MountEntry> {
  const { source, target, fsType, timeoutMs, signal } = options;
  requireAbsolute(source);
  const flags = mountFlagsFor(fsType, options.options ?? []);
  const mountFlags = flags.length === 0 ? [] : ['-o', flags.join(',')];
  return mountAt(target, ['-t', fsType, ...mountFlags, source], {
    isReadOnly: flags.includes('ro'),
    timeoutMs,
    signal,
  });
}

export function mountFlagsFor(fsType: string, options: readonly string[]): string[] {
  const isMissingNouuid = fsType === 'xfs' && !options.some((option) => option.split(',').includes('nouuid'));
  return [...options, ...(isMissingNouuid ? ['nouuid'] : [])];
}

export interface BindOptions {
  readonly source: string;
  readonly target: string;
  readonly isReadOnly?: boolean;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

// Flags that a mount inherits from its source. Within a user namespace they are locked: a remount that drops one is refused
// with EPERM, mount_namespaces(7), so a remount names them all.
const inheritedFlags = ['nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime', 'nosymfollow'];

/**
 * Binds a folder or file. Read-only takes a second call, because the kernel ignores `ro` on the call that binds; the
 * result is read back from mountinfo, and a bind that did not become read-only is taken away again.
 */
export async function bindMount(options: BindOptions): Promise<MountEntry> {
  const { source, target, isReadOnly = false, timeoutMs, signal } = options;
  requireAbsolute(source);
  const entry = await mountAt(target, ['-o', 'bind', source], { isReadOnly: false, timeoutMs, signal });
  const { mountPoint } = entry;
  if (!isReadOnly) return entry;
  try {
    const flags = ['bind', 'remount', 'ro', ...entry.options.filter((option) => inheritedFlags.includes(option))];
    await runCommand('mount', ['-o', flags.join(','), source, mountPoint], commandOptions(timeoutMs, signal));
    return await verifyMounted(mountPoint, true);
  } catch (error) {
    await unmountLayer(mountPoint);
    throw error;
  }
}

/** @throws {SymbolicLinkError} */
async function mountAt(
  target: string,
  args: readonly string[],
  options: { isReadOnly: boolean; timeoutMs: number | undefined; signal: AbortSignal | undefined },
): Promise<MountEntry> {
  const mountPoint = await canonicalMountPoint(target);
  const before = await readMountInfo();
  // What is mounted already is no link, and looking at it could hang.
  const handle = topMountAt(before, mountPoint) === undefined ? await openTarget(mountPoint) : undefined;
  try {
    // The folder that was looked at is the one that is mounted on, whatever its name leads to by then (CVE-2021-25741).
    const place = handle === undefined ? mountPoint : '/proc/self/fd/3';
    await runCommand('mount', ['--no-canonicalize', ...args, place], {
      ...commandOptions(options.timeoutMs, options.signal),
      ...(handle === undefined ? {} : { inheritedFd: handle.fd }),
    });
    try {
      return await verifyMounted(mountPoint, options.isReadOnly);
    } catch (error) {
      await undo(before, handle === undefined ? mountPoint : await pathOf(handle));
      throw error;
    }
  } finally {
    await handle?.close();
  }
}

/** The target itself, with no symbolic link on the way. */
async function openTarget(mountPoint: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(mountPoint, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isErrno(error, 'ELOOP')) throw new SymbolicLinkError(mountPoint);
    throw error;
  }
  if ((await pathOf(handle)) === mountPoint) return handle;
  await handle.close();
  throw new SymbolicLinkError(mountPoint);
}

/** A target that was moved away during the call took the new mount along. */
async function undo(before: readonly MountEntry[], mountPoint: string): Promise<void> {
  const landed = topMountAt(await readMountInfo(), mountPoint);
  const isNew = before.every(({ mountId }) => mountId !== landed?.mountId);
  if (landed !== undefined && isNew) await unmountLayer(mountPoint);
}

/** As the kernel knows it now. */
function pathOf(handle: FileHandle): Promise<string> {
  return readlink(`/proc/self/fd/${handle.fd}`);
}

async function verifyMounted(target: string, isReadOnly: boolean): Promise<MountEntry> {
  const entry = await findMount(target);
  if (entry === undefined) throw new Error(`mount reported success, yet nothing is mounted at ${target}`);
  if (isReadOnly && !isReadOnlyMount(entry)) throw new Error(`${target} was to be read-only, yet is mounted writable`);
  return entry;
}

export function commandOptions(timeoutMs?: number, signal?: AbortSignal): { timeoutMs?: number; signal?: AbortSignal } {
  return { ...(timeoutMs === undefined ? {} : { timeoutMs }), ...(signal === undefined ? {} : { signal }) };
}
