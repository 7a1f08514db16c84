import { silentLogger } from '@holdfast/core';
import { createRecordingLogger } from '@holdfast/core/testing';
import { GetMetadataAllocatedRequest, GetMetadataAllocatedResponse, SnapshotMetadataService } from '@holdfast/csi-spec';
import { expect, onTestFinished, test } from 'vitest';
import { bindService, type CallContext, type Handlers, rpcError, serveUnix } from './index.ts';
import { connect, rejection, socketPath } from './testing/sockets.ts';

const soon = { timeoutMs: 20_000 };
const request = GetMetadataAllocatedRequest.create({ snapshotId: 's', secrets: { key: 'hunter2' } });
const answer = (offset: number) =>
  GetMetadataAllocatedResponse.fromPartial({
    volumeCapacityBytes: 8n,
    blockMetadata: [{ byteOffset: BigInt(offset) }],
  });

async function serve(handlers: Handlers<typeof SnapshotMetadataService>, log = silentLogger) {
  const server = await serveUnix({
    address: socketPath(),
    log,
    services: [bindService(SnapshotMetadataService, handlers)],
  });
  onTestFinished(() => server.stop(0));
  return (await connect(server.address)).client(SnapshotMetadataService);
}

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of stream) found.push(one);
  return found;
}

test('answers come in their order, as many as there are', async () => {
  const client = await serve({
    async *getMetadataAllocated() {
      for (let offset = 0; offset < 1000; offset++) yield answer(offset);
    },
  });
  const answers = await all(client.getMetadataAllocated(request, soon));
  expect(answers.flatMap(({ blockMetadata }) => blockMetadata.map(({ byteOffset }) => Number(byteOffset)))).toEqual(
    Array.from({ length: 1000 }, (_, offset) => offset),
  );
});

test('an error in the middle reaches the caller with its code, after what came before; no secret is in it or in the log', async () => {
  const log = createRecordingLogger();
  const client = await serve(
    {
      async *getMetadataAllocated() {
        yield answer(1);
        throw rpcError('OutOfRange', 'the key hunter2 does not fit');
      },
    },
    log,
  );
  const seen: unknown[] = [];
  const failed = (async () => {
    for await (const one of client.getMetadataAllocated(request, soon)) seen.push(one);
  })();
  expect(await rejection(failed)).toMatchObject({
    code: 'OutOfRange',
    message: expect.not.stringContaining('hunter2'),
  });
  expect(seen).toEqual([answer(1)]);
  expect(
    JSON.stringify(log.lines, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  ).not.toContain('hunter2');
});

test('what is not implemented says so', async () => {
  const client = await serve({});
  expect(await rejection(all(client.getMetadataAllocated(request, soon)))).toMatchObject({ code: 'Unimplemented' });
});

test('a caller that stops reading ends the work; one that is slow holds it', async () => {
  const ended = Promise.withResolvers<void>();
  let made = 0;
  const client = await serve({
    async *getMetadataAllocated(_request: unknown, _context: CallContext) {
      try {
        for (;;) {
          made += 1;
          yield GetMetadataAllocatedResponse.fromPartial({
            blockMetadata: Array.from({ length: 1000 }, () => ({ byteOffset: 2n ** 60n, sizeBytes: 2n ** 60n })),
          });
        }
      } finally {
        ended.resolve();
      }
    },
  });
  for await (const _ of client.getMetadataAllocated(request, soon)) break;
  await ended.promise;
  // Windows of HTTP/2 and of the stream, some hundreds of KiB, and 20 KiB an answer: far from "as many as it can".
  expect(made).toBeLessThan(1000);
});

test('a caller that gives up hears that it did', async () => {
  const controller = new AbortController();
  const client = await serve({
    async *getMetadataAllocated(_request: unknown, { signal }: CallContext) {
      yield answer(1);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    },
  });
  const reading = (async () => {
    for await (const _ of client.getMetadataAllocated(request, { ...soon, signal: controller.signal })) {
      controller.abort();
    }
  })();
  expect(await rejection(reading)).toMatchObject({ code: 'Canceled' });
});
