import { lstat } from 'node:fs/promises';
import { runCommand } from './command.ts';
import { isReadOnlyMount, type MountEntry } from './mount-info.ts';
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
  const mountPoint = await mountableTarget(target);
  await runCommand(
    'mount',
    ['-t', fsType, ...(flags.length === 0 ? [] : ['-o', flags.join(',')]), source, mountPoint],
    commandOptions(timeoutMs, signal),
  );
  return verifyMounted(target, flags.includes('ro'));
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
  const mountPoint = await mountableTarget(target);
  await runCommand('mount', ['-o', 'bind', source, mountPoint], commandOptions(timeoutMs, signal));
  const entry = await verifyMounted(mountPoint, false);
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
async function mountableTarget(target: string): Promise<string> {
  const mountPoint = await canonicalMountPoint(target);
  // What is mounted already is no link, and looking at it could hang.
  if ((await findMount(mountPoint)) !== undefined) return mountPoint;
  try {
    if ((await lstat(mountPoint)).isSymbolicLink()) throw new SymbolicLinkError(mountPoint);
  } catch (error) {
    // That nothing is there, mount says itself.
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  return mountPoint;
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
