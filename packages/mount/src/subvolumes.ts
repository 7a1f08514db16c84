import { statfs } from 'node:fs/promises';
import { runCommand } from './command.ts';

// BTRFS_SUPER_MAGIC, linux/magic.h.
const btrfsMagic = 0x9123683en;

export async function isOnBtrfs(path: string): Promise<boolean> {
  return (await statfs(path, { bigint: true })).type === btrfsMagic;
}

/** A folder of btrfs whose content is counted by itself. `rmdir` removes it as it does any other. */
export async function makeSubvolume(path: string): Promise<void> {
  await runCommand('btrfs', ['subvolume', 'create', path]);
}

/** How much a subvolume may hold, metadata included. Quotas of the file system are switched on where they are not. */
export async function limitSubvolume(path: string, sizeBytes: bigint): Promise<void> {
  await runCommand('btrfs', ['quota', 'enable', path]);
  await runCommand('btrfs', ['qgroup', 'limit', String(sizeBytes), path]);
}

export interface SubvolumeUsage {
  readonly usedBytes: bigint;
  /** Undefined: no limit is set. */
  readonly limitBytes: bigint | undefined;
}

/** As the kernel counted at its last commit, up to half a minute ago. */
export async function subvolumeUsage(path: string): Promise<SubvolumeUsage> {
  const { stdout } = await runCommand('btrfs', ['qgroup', 'show', '-re', '--raw', '-f', path]);
  const usage = parseQgroup(stdout);
  if (usage === undefined) throw new Error(`btrfs says nothing of ${path} that can be read: ${stdout.slice(0, 200)}`);
  return usage;
}

/** The line of `btrfs qgroup show -re --raw -f` that tells of the subvolume itself: level 0. */
export function parseQgroup(output: string): SubvolumeUsage | undefined {
  const [, used, limit] = /^0\/\d+\s+(\d+)\s+\d+\s+(\d+|none)\s/m.exec(output) ?? [];
  if (used === undefined || limit === undefined) return undefined;
  return { usedBytes: BigInt(used), limitBytes: limit === 'none' ? undefined : BigInt(limit) };
}

/** Forgets the counts of subvolumes that are gone. One that the kernel is still cleaning up is left for another time. */
export async function forgetRemovedSubvolumes(path: string): Promise<void> {
  // 1 where quotas are off, and where one is still busy.
  await runCommand('btrfs', ['qgroup', 'clear-stale', path], { okExitCodes: [0, 1] });
}
