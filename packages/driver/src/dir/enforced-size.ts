import type { Figures, StringMap, Volume } from '@holdfast/driver-kit';
import { isOnBtrfs, subvolumeUsage } from '@holdfast/mount';
import { rpcError } from '@holdfast/rpc';

/** How a volume is held to its size: not at all, or as a subvolume of btrfs with a limit. */
export const enforcements = ['none', 'subvolume'] as const;

/** What a volume may hold; undefined: whatever the pool has room for. */
export function limitOf({
  parameters,
  capacityBytes,
}: Pick<Volume, 'parameters' | 'capacityBytes'>): bigint | undefined {
  return parameters.enforceSize === 'subvolume' ? capacityBytes : undefined;
}

/** @throws RpcError InvalidArgument where the pool's file system cannot */
export async function requireEnforceable(pool: string, parameters: StringMap): Promise<void> {
  if (parameters.enforceSize !== 'subvolume' || (await isOnBtrfs(pool))) return;
  throw rpcError(
    'InvalidArgument',
    `class parameter "enforceSize": subvolume needs a pool on btrfs, and ${pool} is not: leave the parameter out, and sizes are not enforced, or use the disk backend`,
  );
}

export async function enforcedFigures(volume: Volume, path: string, poolAvailableBytes: bigint): Promise<Figures> {
  const { usedBytes: used, limitBytes: total = volume.capacityBytes } = await subvolumeUsage(path);
  const left = total > used ? total - used : 0n;
  return { total, used, available: left < poolAvailableBytes ? left : poolAvailableBytes };
}
