import { type Clock, createKeyedLock, formatBytes, systemClock } from '@holdfast/core';
import { rpcError } from '@holdfast/rpc';
import type { InlineRecord } from '../pool/inline-records.ts';
import { poolSpace } from '../pool/pool-folder.ts';
import type { RecordStore } from '../pool/record-store.ts';
import type { SnapshotRecords } from '../pool/snapshot-records.ts';
import type { VolumeRecords } from '../pool/volume-records.ts';
import type { DiskImages } from './disk-images.ts';

export interface PoolSpace {
  /** What is free and promised to nobody. */
  availableBytes(): Promise<bigint>;
  /** @throws RpcError ResourceExhausted */
  require(neededBytes: bigint): Promise<void>;
  /** The next count is a new one, whatever the last one said. */
  forget(): void;
  /** One at a time: between looking at what is left and promising it to somebody, nobody else does. */
  reserve<T>(work: () => Promise<T>): Promise<T>;
}

// A count looks at every image. In a burst one count serves the volumes that are made within this time.
const countServesMs = 5_000;

/** What a count left, and what was free when it was made. */
interface Count {
  readonly atMs: number;
  readonly freeBytes: bigint;
  unpromisedBytes: bigint;
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
  /** Inline volumes. */
  inline?: { readonly store: RecordStore<InlineRecord>; readonly images: DiskImages };
  clock?: Pick<Clock, 'monotonicMs'>;
}): PoolSpace {
  const { pool, records, snapshots, images, inline, clock = systemClock } = deps;
  const turns = createKeyedLock();
  let last: Count | undefined;

  async function promisedInline(): Promise<bigint> {
    if (inline === undefined) return 0n;
    let promised = 0n;
    for (const id of await inline.store.ids()) {
      // Gone meanwhile, or unreadable: nobody can be told to use it.
      const record = await inline.store.load(id).catch(() => undefined);
      const missing = (record?.capacityBytes ?? 0n) - (await inline.images.allocatedBytes(id));
      if (missing > 0n) promised += missing;
    }
    return promised;
  }

  async function count(): Promise<Count> {
    const atMs = clock.monotonicMs();
    let promised = await promisedInline();
    for (const { id, capacityBytes, sharedBytes } of await records.all()) {
      const allocated = await images.allocatedBytes(id);
      if (allocated < capacityBytes) promised += capacityBytes - allocated;
      promised += sharedBytes ?? 0n;
    }
    for (const { reservedBytes } of await snapshots.all()) promised += reservedBytes;
    const freeBytes = (await poolSpace(pool)).availableBytes;
    return { atMs, freeBytes, unpromisedBytes: freeBytes > promised ? freeBytes - promised : 0n };
  }

  /**
   * What a new count would say, or less: what has been written since counts as if nobody had been promised it, and what was given back
   * as if it had not been.
   */
  async function atLeast({ freeBytes, unpromisedBytes }: Count): Promise<bigint> {
    const nowFreeBytes = (await poolSpace(pool)).availableBytes;
    return unpromisedBytes - (nowFreeBytes < freeBytes ? freeBytes - nowFreeBytes : 0n);
  }

  async function countFor(neededBytes: bigint): Promise<Count> {
    const isRecent = last !== undefined && clock.monotonicMs() - last.atMs < countServesMs;
    return last !== undefined && isRecent && neededBytes <= (await atLeast(last)) ? last : count();
  }

  return {
    availableBytes: async () => (await count()).unpromisedBytes,
    async require(neededBytes) {
      last = await countFor(neededBytes);
      const available = last.unpromisedBytes;
      if (neededBytes <= available) {
        last.unpromisedBytes -= neededBytes;
        return;
      }
      throw rpcError(
        'ResourceExhausted',
        `the pool has ${formatBytes(available)} left that nothing was promised, ${formatBytes(neededBytes)} more are needed`,
      );
    },
    forget: () => {
      last = undefined;
    },
    reserve: (work) => turns.run('space', work),
  };
}
