import { createKeyedLock, formatBytes } from '@holdfast/core';
import { rpcError } from '@holdfast/rpc';
import { poolSpace } from '../pool/pool-folder.ts';
import type { SnapshotRecords } from '../pool/snapshot-records.ts';
import type { VolumeRecords } from '../pool/volume-records.ts';
import type { DiskImages } from './disk-images.ts';

export interface PoolSpace {
  /** What is free and promised to nobody. */
  availableBytes(): Promise<bigint>;
  /** @throws RpcError ResourceExhausted */
  require(neededBytes: bigint): Promise<void>;
  /** One at a time: between looking at what is left and promising it to somebody, nobody else does. */
  reserve<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Images are sparse: what volumes were promised and have not written yet is kept free for them. Copies share blocks: each counts as if
 * they were its own, because every block that is written on either side becomes so.
 */
export function createPoolSpace(deps: {
  pool: string;
  records: VolumeRecords;
  snapshots: SnapshotRecords;
  images: DiskImages;
}): PoolSpace {
  const { pool, records, snapshots, images } = deps;
  const turns = createKeyedLock();

  async function availableBytes(): Promise<bigint> {
    let promised = 0n;
    for (const { id, capacityBytes, sharedBytes } of await records.all()) {
      const allocated = await images.allocatedBytes(id);
      if (allocated < capacityBytes) promised += capacityBytes - allocated;
      promised += sharedBytes ?? 0n;
    }
    for (const { reservedBytes } of await snapshots.all()) promised += reservedBytes;
    const free = (await poolSpace(pool)).availableBytes;
    return free > promised ? free - promised : 0n;
  }

  return {
    availableBytes,
    async require(neededBytes) {
      const available = await availableBytes();
      if (neededBytes <= available) return;
      throw rpcError(
        'ResourceExhausted',
        `the pool has ${formatBytes(available)} left that nothing was promised, ${formatBytes(neededBytes)} more are needed`,
      );
    },
    reserve: (work) => turns.run('space', work),
  };
}
