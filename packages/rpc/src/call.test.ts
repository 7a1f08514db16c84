import { untilAborted } from '@holdfast/core';
import { createRecordingLogger } from '@holdfast/core/testing';
import {
  ControllerService,
  CreateVolumeResponse,
  DeleteVolumeResponse,
  IdentityService,
  ListVolumesRequest,
  ListVolumesResponse,
  ProbeRequest,
} from '@holdfast/csi-spec';
import { describe, expect, test, vi } from 'vitest';
import { type CallContext, RpcError, rpcError } from './index.ts';
import { maxMessageBytes } from './limits.ts';
import { connect, createdVolume, createVolume, rejection, startServer } from './testing/sockets.ts';

const soon = { timeoutMs: 20_000 };

test('a request reaches the handler and its answer comes back, int64 beyond 2^53 unharmed', async () => {
  const requiredBytes = 2n ** 53n + 1n;
  const server = await startServer({
    controller: {
      async createVolume(request) {
        return CreateVolumeResponse.create({
          volume: { volumeId: request.name, capacityBytes: (request.capacityRange?.requiredBytes ?? 0n) + 2n },
        });
      },
    },
  });
  const client = (await connect(server.address)).client(ControllerService);
  const response = await client.createVolume(
    { ...createVolume, capacityRange: { requiredBytes, limitBytes: 0n } },
    soon,
  );
  expect(response.volume).toMatchObject({ volumeId: 'pvc-1', capacityBytes: 2n ** 53n + 3n });
});

test('messages over the default limit of 4 MiB pass both ways', async () => {
  const fiveMiB = 'x'.repeat(5 * 1024 * 1024);
  const server = await startServer({
    controller: { listVolumes: async (request) => ListVolumesResponse.create({ nextToken: request.startingToken }) },
  });
  const client = (await connect(server.address)).client(ControllerService);
  const response = await client.listVolumes(ListVolumesRequest.create({ startingToken: fiveMiB }), soon);
  expect(response.nextToken).toHaveLength(fiveMiB.length);
});

test('a message over our limit is refused with ResourceExhausted, in either direction', async () => {
  const tooLong = 'x'.repeat(maxMessageBytes + 1);
  const server = await startServer({
    controller: { listVolumes: async () => ListVolumesResponse.create({ nextToken: tooLong }) },
  });
  const client = (await connect(server.address)).client(ControllerService);
  const list = (startingToken: string) => client.listVolumes(ListVolumesRequest.create({ startingToken }), soon);
  expect(await rejection(list(''))).toMatchObject({ code: 'ResourceExhausted', isFinal: false });
  expect(await rejection(list(tooLong))).toMatchObject({ code: 'ResourceExhausted' });
});

describe('what a handler throws', () => {
  test('an RpcError keeps its code and message', async () => {
    const server = await startServer({
      controller: {
        createVolume: async () => {
          throw rpcError('AlreadyExists', 'volume pvc-1 exists with 2Gi');
        },
      },
    });
    const client = (await connect(server.address)).client(ControllerService);
    const error = await rejection(client.createVolume(createVolume, soon));
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({ code: 'AlreadyExists', message: 'volume pvc-1 exists with 2Gi', isFinal: true });
    expect(String(error)).toBe('AlreadyExists: volume pvc-1 exists with 2Gi');
  });

  test('anything else becomes Internal with the message, and its stack is logged', async () => {
    const log = createRecordingLogger();
    const server = await startServer(
      {
        controller: {
          createVolume: async () => {
            throw new TypeError('pool is not a folder');
          },
        },
      },
      { log },
    );
    const client = (await connect(server.address)).client(ControllerService);
    expect(await rejection(client.createVolume(createVolume, soon))).toMatchObject({
      code: 'Internal',
      message: 'pool is not a folder',
    });
    const failures = log.lines.filter(({ level }) => level === 'error');
    expect(failures).toHaveLength(1);
    expect(failures[0]?.fields).toMatchObject({
      method: '/csi.v1.Controller/CreateVolume',
      error: expect.stringContaining('call.test.ts'),
    });
  });

  test('stopping because the caller went away is not logged as a failure', async () => {
    const log = createRecordingLogger();
    const stopped = Promise.withResolvers<void>();
    const server = await startServer(
      {
        controller: {
          async createVolume(_, { signal }) {
            await untilAborted(signal);
            stopped.resolve();
            throw new DOMException('stopped', 'AbortError');
          },
        },
      },
      { log },
    );
    const client = (await connect(server.address)).client(ControllerService);
    await rejection(client.createVolume(createVolume, { timeoutMs: 100 }));
    await stopped.promise;
    await vi.waitFor(() => expect(log.lines.at(-1)).toMatchObject({ message: 'GRPC response' }));
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('an answer that cannot be encoded becomes Internal, and the server lives on', async () => {
    const server = await startServer({
      controller: {
        createVolume: async () => CreateVolumeResponse.create({ volume: { volumeId: 'v', capacityBytes: 2n ** 63n } }),
        deleteVolume: async () => DeleteVolumeResponse.create(),
      },
    });
    const client = (await connect(server.address)).client(ControllerService);
    expect(await rejection(client.createVolume(createVolume, soon))).toMatchObject({
      code: 'Internal',
      message: expect.stringContaining('capacityBytes'),
    });
    expect(await client.deleteVolume({ volumeId: 'v', secrets: {} }, soon)).toEqual({});
  });
});

test('a request that cannot be encoded is refused before it is sent', async () => {
  let calls = 0;
  const server = await startServer({
    controller: {
      async createVolume() {
        calls += 1;
        return createdVolume;
      },
    },
  });
  const client = (await connect(server.address)).client(ControllerService);
  const request = { ...createVolume, capacityRange: { requiredBytes: 2n ** 63n, limitBytes: 0n } };
  expect(await rejection(client.createVolume(request, soon))).toMatchObject({
    code: 'Internal',
    message: expect.stringContaining('requiredBytes'),
  });
  expect(calls).toBe(0);
});

test('a method without a handler, and a service that is not served, are Unimplemented', async () => {
  const server = await startServer({}, { services: [] });
  const client = (await connect(server.address)).client(IdentityService);
  expect(await rejection(client.probe(ProbeRequest.create(), soon))).toMatchObject({ code: 'Unimplemented' });

  const served = await startServer({});
  const probe = (await connect(served.address)).client(IdentityService).probe(ProbeRequest.create(), soon);
  expect(await rejection(probe)).toMatchObject({
    code: 'Unimplemented',
    message: expect.stringContaining('/csi.v1.Identity/Probe'),
  });
});

describe('a call that is not waited for', () => {
  /** A server whose CreateVolume never answers, and the context of its first call. */
  async function startStuckServer() {
    const entered = Promise.withResolvers<CallContext>();
    const server = await startServer({
      controller: {
        createVolume: (_, context) => {
          entered.resolve(context);
          return new Promise(() => {});
        },
      },
    });
    return { client: (await connect(server.address)).client(ControllerService), entered: entered.promise };
  }

  test('ends with DeadlineExceeded, which the handler is told of', async () => {
    const { client, entered } = await startStuckServer();
    const error = await rejection(client.createVolume(createVolume, { timeoutMs: 200 }));
    expect(error).toMatchObject({ code: 'DeadlineExceeded', message: 'no answer within 200ms', isFinal: false });
    const context = await entered;
    expect(context.deadlineMs).toBeGreaterThan(Date.now() - 60_000);
    await untilAborted(context.signal);
  });

  test('ends with Canceled when its signal aborts, which the handler is told of', async () => {
    const { client, entered } = await startStuckServer();
    const controller = new AbortController();
    const call = rejection(client.createVolume(createVolume, { ...soon, signal: controller.signal }));
    const context = await entered;
    expect(context.signal.aborted).toBe(false);
    controller.abort(new Error('shutting down'));
    expect(await call).toMatchObject({ code: 'Canceled', message: 'the call was given up: shutting down' });
    await untilAborted(context.signal);
  });

  test('is not sent when its signal is aborted already', async () => {
    const { client } = await startStuckServer();
    const signal = AbortSignal.abort(new Error('too late'));
    expect(await rejection(client.createVolume(createVolume, { ...soon, signal }))).toMatchObject({ code: 'Canceled' });
  });

  test.each([0, -1, Number.NaN])('is refused with a timeout of %d', async (timeoutMs) => {
    const { client } = await startStuckServer();
    expect(await rejection(client.createVolume(createVolume, { timeoutMs }))).toMatchObject({
      code: 'Internal',
      message: expect.stringContaining('timeoutMs'),
    });
  });
});
