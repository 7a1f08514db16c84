import {
  BlockMetadataType,
  CreateSnapshotRequest,
  GetMetadataAllocatedRequest,
  type GetMetadataAllocatedResponse,
  GetMetadataDeltaRequest,
} from '@holdfast/csi-spec';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryBackend, type MemoryBackend } from './testing/memory-backend.ts';
import { options, type ServedKit, serveKit } from './testing/served-memory.ts';

let backend: MemoryBackend;
let kit: ServedKit;
beforeEach(async () => {
  backend = createMemoryBackend();
  kit = await serveKit(backend);
  for (const name of ['vol', 'other']) await kit.create(name);
  for (const [name, sourceVolumeId] of [
    ['s1', 'vol'],
    ['s2', 'vol'],
    ['s3', 'other'],
  ] as const) {
    await kit.controller.createSnapshot(CreateSnapshotRequest.fromPartial({ name, sourceVolumeId }), options);
  }
});
afterEach(() => kit.stop());

const range = (offsetBytes: bigint, sizeBytes = 64n) => ({ offsetBytes, sizeBytes });

async function allocated(more: Partial<GetMetadataAllocatedRequest> = {}): Promise<GetMetadataAllocatedResponse[]> {
  return all(
    kit.metadata.getMetadataAllocated(GetMetadataAllocatedRequest.fromPartial({ snapshotId: 's1', ...more }), options),
  );
}

async function delta(more: Partial<GetMetadataDeltaRequest> = {}): Promise<GetMetadataAllocatedResponse[]> {
  const request = { baseSnapshotId: 's1', targetSnapshotId: 's2', ...more };
  return all(kit.metadata.getMetadataDelta(GetMetadataDeltaRequest.fromPartial(request), options));
}

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of stream) found.push(one);
  return found;
}

const offsets = (answers: readonly GetMetadataAllocatedResponse[]) =>
  answers.map(({ blockMetadata }) => blockMetadata.map(({ byteOffset }) => Number(byteOffset)));

// CSI spec "GetMetadataAllocated" and "GetMetadataDelta".
describe('SnapshotMetadata', () => {
  test('tells type and capacity with every answer, also where there is nothing to tell', async () => {
    const expected = { blockMetadataType: BlockMetadataType.VARIABLE_LENGTH, volumeCapacityBytes: 1024n };
    expect(await allocated()).toEqual([{ ...expected, blockMetadata: [] }]);
    backend.blocks.push(range(0n), range(128n, 1n));
    expect(await delta()).toEqual([
      {
        ...expected,
        blockMetadata: [
          { byteOffset: 0n, sizeBytes: 64n },
          { byteOffset: 128n, sizeBytes: 1n },
        ],
      },
    ]);
    expect(backend.calls).toContain('compare s1 s2');
  });

  test('keeps to max_results in each answer, and to some hundreds without', async () => {
    backend.blocks.push(...Array.from({ length: 600 }, (_, index) => range(BigInt(index), 1n)));
    expect(offsets(await allocated({ maxResults: 7 })).map((page) => page.length)).toEqual([...Array(85).fill(7), 5]);
    for (const maxResults of [0, 2 ** 31 - 1]) {
      expect(offsets(await delta({ maxResults })).map((page) => page.length)).toEqual([256, 256, 88]);
    }
  });

  test('goes on from starting_offset: no range ends at or before it, and the end itself is in range', async () => {
    backend.blocks.push(range(0n), range(64n), range(512n, 512n));
    expect(offsets(await allocated({ startingOffset: 64n }))).toEqual([[64, 512]]);
    expect(offsets(await allocated({ startingOffset: 127n }))).toEqual([[64, 512]]);
    expect(offsets(await delta({ startingOffset: 128n }))).toEqual([[512]]);
    expect(offsets(await delta({ startingOffset: 1024n }))).toEqual([[]]);
  });

  test.each([
    ['no id', () => allocated({ snapshotId: '' }), 'InvalidArgument'],
    ['no base', () => delta({ baseSnapshotId: '' }), 'InvalidArgument'],
    ['no target', () => delta({ targetSnapshotId: '' }), 'InvalidArgument'],
    ['a hostile id', () => delta({ targetSnapshotId: '../s2' }), 'InvalidArgument'],
    ['an unknown snapshot', () => allocated({ snapshotId: 's9' }), 'NotFound'],
    ['an unknown base', () => delta({ baseSnapshotId: 's9' }), 'NotFound'],
    ['snapshots of two volumes', () => delta({ targetSnapshotId: 's3' }), 'InvalidArgument'],
    ['a negative offset', () => allocated({ startingOffset: -1n }), 'OutOfRange'],
    ['an offset behind the end', () => delta({ startingOffset: 1025n }), 'OutOfRange'],
    ['a negative limit', () => allocated({ maxResults: -1 }), 'InvalidArgument'],
  ])('refuses %s', async (_, call, code) => {
    await expect(call()).rejects.toMatchObject({ code });
  });

  test('a base that is newer than its target is refused', async () => {
    const base = backend.snapshots.get('s1');
    if (base === undefined) throw new Error('no snapshot');
    backend.snapshots.set('s1', { ...base, createdMs: 6000 });
    await expect(delta()).rejects.toMatchObject({ code: 'InvalidArgument' });
  });

  test('a snapshot is not deleted while it is read', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    backend.gate = promise;
    backend.blocks.push(...Array.from({ length: 256 }, (_, index) => range(BigInt(index), 1n)));
    const stream = kit.metadata.getMetadataAllocated(
      GetMetadataAllocatedRequest.fromPartial({ snapshotId: 's1' }),
      options,
    );
    for await (const _ of stream) {
      await expect(kit.controller.deleteSnapshot({ snapshotId: 's1', secrets: {} }, options)).rejects.toMatchObject({
        code: 'Aborted',
      });
      resolve();
    }
    await kit.controller.deleteSnapshot({ snapshotId: 's1', secrets: {} }, options);
  });
});

test('without it the service is neither advertised nor served', async () => {
  const named = async () => JSON.stringify(await kit.identity.getPluginCapabilities({}, options));
  const before = await named();
  await kit.stop();
  const { snapshotBlocks: _, ...rest } = backend;
  kit = await serveKit(rest);
  expect(await named()).not.toBe(before);
  await expect(allocated()).rejects.toMatchObject({ code: 'Unimplemented' });
});
