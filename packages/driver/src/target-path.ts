import { mkdir, rmdir } from 'node:fs/promises';
import { bindMount, cleanupMountPoint, findMount, type MountEntry, unmountAll } from '@holdfast/mount';
import { rpcError } from '@holdfast/rpc';

/** Binds a folder at a target that the driver makes, and takes the target away again when that fails. */
export async function publishFolder(options: { source: string; target: string; isReadOnly: boolean }): Promise<void> {
  await clearTarget(options.target);
  const made = await mkdir(options.target, { recursive: true, mode: 0o750 });
  try {
    await bindMount(options);
  } catch (error) {
    if (made !== undefined) await rmdir(options.target).catch(() => undefined);
    throw error;
  }
}

/**
 * A target that shows something other than the volume: the corpse of a removed folder is cleared, because kubelet may never have
 * been told to unpublish it; anything alive is left alone.
 */
export async function clearTarget(target: string): Promise<void> {
  const entry = await findMount(target);
  if (entry === undefined) return;
  if (!entry.isRootDeleted) {
    throw rpcError('FailedPrecondition', `${target} already shows ${entry.source} (${entry.fsType}): unmount it first`);
  }
  await unmountAll(target);
}

/** Unmounts and removes a target, provided that what is mounted there is of our making. Nothing there is success. */
export async function unpublishTarget(
  target: string,
  isOurs: (entry: MountEntry) => boolean | Promise<boolean>,
): Promise<void> {
  const entry = await findMount(target);
  if (entry !== undefined && !(await isOurs(entry))) throw notOurs(target, entry);
  await cleanupMountPoint(target);
}

export function notOurs(path: string, entry: MountEntry): Error {
  return rpcError(
    'FailedPrecondition',
    `${path} shows ${entry.source} (${entry.fsType}), which is not this volume: it is left alone`,
  );
}
