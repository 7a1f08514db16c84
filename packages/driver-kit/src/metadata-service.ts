import { BlockMetadataType, type GetMetadataAllocatedResponse, type SnapshotMetadataService } from '@holdfast/csi-spec';
import { type Handlers, rpcError } from '@holdfast/rpc';
import type { Backend, BlockRange, Snapshot } from './backend.ts';
import { checkId } from './check-text.ts';
import { snapshotKey, type VolumeLocks } from './locks.ts';

// Each of some 20 bytes: an answer of a few KiB, well below any limit of messages.
const defaultResults = 256;

interface Asked {
  readonly startingOffset: bigint;
  readonly maxResults: number;
}

/** Which blocks of a snapshot hold data, and which differ from an earlier one, as streams. */
export function createMetadataHandlers(deps: {
  backend: Backend;
  locks: VolumeLocks;
}): Handlers<SnapshotMetadataService> {
  const { backend, locks } = deps;
  const { snapshotBlocks, findSnapshot } = backend;
  if (snapshotBlocks === undefined || findSnapshot === undefined) return {};

  async function requireSnapshot(id: string): Promise<Snapshot> {
    const snapshot = await findSnapshot?.(id);
    if (snapshot === undefined) throw rpcError('NotFound', `snapshot ${id} does not exist`);
    if (!snapshot.isReady) throw rpcError('Unavailable', `snapshot ${id} is not ready to use yet: try again later`);
    return snapshot;
  }

  return {
    async *getMetadataAllocated(request, { signal }) {
      checkId('snapshot_id', request.snapshotId);
      checkAsked(request);
      const release = locks.share([snapshotKey(request.snapshotId)]);
      try {
        const snapshot = await requireSnapshot(request.snapshotId);
        checkOffset(snapshot, request);
        yield* inPages(snapshot, request, snapshotBlocks.allocated(snapshot, request.startingOffset, signal));
      } finally {
        release();
      }
    },
    async *getMetadataDelta(request, { signal }) {
      const { baseSnapshotId, targetSnapshotId, startingOffset } = request;
      checkId('base_snapshot_id', baseSnapshotId);
      checkId('target_snapshot_id', targetSnapshotId);
      checkAsked(request);
      const release = locks.share([snapshotKey(baseSnapshotId), snapshotKey(targetSnapshotId)]);
      try {
        const [base, target] = [await requireSnapshot(baseSnapshotId), await requireSnapshot(targetSnapshotId)];
        checkPair(base, target);
        checkOffset(target, request);
        yield* inPages(target, request, snapshotBlocks.changed(base, target, startingOffset, signal));
      } finally {
        release();
      }
    },
  };
}

/** CSI spec "GetMetadataDeltaRequest": a second snapshot of the same volume, cut after the base. */
function checkPair(base: Snapshot, target: Snapshot): void {
  if (base.sourceVolumeId !== target.sourceVolumeId) {
    throw rpcError(
      'InvalidArgument',
      `snapshot ${base.id} is of volume ${base.sourceVolumeId}, and ${target.id} of ${target.sourceVolumeId}: both must be of one volume`,
    );
  }
  if (base.createdMs > target.createdMs) {
    throw rpcError(
      'InvalidArgument',
      `the base ${base.id} was cut after ${target.id}: ask for them the other way round`,
    );
  }
}

function checkAsked({ startingOffset, maxResults }: Asked): void {
  if (startingOffset < 0n) throw rpcError('OutOfRange', `starting_offset must not be negative: ${startingOffset}`);
  if (maxResults < 0) throw rpcError('InvalidArgument', `max_results must not be negative: ${maxResults}`);
}

// The end itself is in range: it is where a caller goes on that has all of it.
function checkOffset({ id, sizeBytes }: Snapshot, { startingOffset }: Asked): void {
  if (startingOffset <= sizeBytes) return;
  throw rpcError('OutOfRange', `starting_offset is ${startingOffset}, snapshot ${id} has ${sizeBytes} bytes`);
}

/** At least one answer, which tells the capacity. The first range may begin before the offset, and none ends before it. */
async function* inPages(
  { sizeBytes }: Snapshot,
  { startingOffset, maxResults }: Asked,
  ranges: AsyncIterable<BlockRange>,
): AsyncGenerator<GetMetadataAllocatedResponse> {
  const limit = maxResults === 0 ? defaultResults : Math.min(maxResults, defaultResults);
  const answer = (page: readonly BlockRange[]): GetMetadataAllocatedResponse => ({
    blockMetadataType: BlockMetadataType.VARIABLE_LENGTH,
    volumeCapacityBytes: sizeBytes,
    blockMetadata: page.map((range) => ({ byteOffset: range.offsetBytes, sizeBytes: range.sizeBytes })),
  });
  let page: BlockRange[] = [];
  let isAnswered = false;
  for await (const range of ranges) {
    if (range.offsetBytes + range.sizeBytes <= startingOffset) continue;
    page.push(range);
    if (page.length < limit) continue;
    yield answer(page);
    isAnswered = true;
    page = [];
  }
  if (page.length > 0 || !isAnswered) yield answer(page);
}
