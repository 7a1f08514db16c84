import { writeFileSync } from 'node:fs';
import { silentLogger, untilAborted } from '@holdfast/core';
import { createFakeClock, createRecordingLogger } from '@holdfast/core/testing';
import { IdentityService, ProbeRequest, ProbeResponse } from '@holdfast/csi-spec';
import { describe, expect, test, vi } from 'vitest';
import { type CallContext, dialUnix } from './index.ts';
import { connect, rejection, socketPath, startRawServer, startRelay, startServer } from './testing/sockets.ts';

const probe = { identity: { probe: async () => ProbeResponse.create({ ready: true }) } };
const soon = { timeoutMs: 20_000 };

describe('while nobody serves', () => {
  test('waits, and connects once somebody does', async () => {
    const address = socketPath();
    const dialing = connect(address);
    await startServer(probe, { address });
    const client = (await dialing).client(IdentityService);
    expect(await client.probe(ProbeRequest.create(), soon)).toEqual({ ready: true });
  });

  test('says each 10 s that it still waits, and gives up after its time', async () => {
    const clock = createFakeClock();
    const log = createRecordingLogger();
    const address = socketPath();
    const failed = rejection(dialUnix({ address, log, clock }));
    await clock.advance(29_999);
    const reason = 'there is no such file; is the driver running, and is its folder mounted here?';
    const line = { message: 'Still connecting', fields: { address, reason } };
    await vi.waitFor(() => expect(log.lines).toMatchObject([line, line]));
    await clock.advance(1);
    expect(await failed).toMatchObject({
      code: 'DeadlineExceeded',
      message: `no connection to ${address} within 30000 ms: ${reason}`,
    });
    expect(clock.timers()).toBe(0);
  });

  test('waits for ever with a time of 0, until its signal aborts', async () => {
    const clock = createFakeClock();
    const log = createRecordingLogger();
    const controller = new AbortController();
    const failed = rejection(dialUnix({ address: socketPath(), log, clock, timeoutMs: 0, signal: controller.signal }));
    await clock.advance(3_600_000);
    await vi.waitFor(() => expect(log.lines).toHaveLength(360));
    controller.abort();
    expect(await failed).toMatchObject({ code: 'Canceled' });
    expect(clock.timers()).toBe(0);
  });

  test('names a file that is no socket', async () => {
    const address = socketPath();
    writeFileSync(address, '');
    expect(await rejection(dialUnix({ address, log: silentLogger, timeoutMs: 50 }))).toMatchObject({
      message: expect.stringContaining('not a socket; remove it'),
    });
  });
});

test('refuses an address that is no unix socket at once', async () => {
  expect(await rejection(dialUnix({ address: 'tcp://127.0.0.1:9000', log: silentLogger }))).toMatchObject({
    message: expect.stringContaining('is not a unix socket'),
  });
});

describe('when the connection drops', () => {
  test('lost resolves with the path, though no call is made', async () => {
    const server = await startServer(probe);
    const connection = await connect(server.address);
    await server.stop(0);
    expect(await connection.lost).toBe(`lost connection to ${server.address}`);
  });

  test('lost resolves when the server dies without a goodbye', async () => {
    const server = await startServer(probe);
    const address = socketPath();
    const relay = await startRelay(address, server.address);
    const connection = await connect(address);
    await connection.client(IdentityService).probe(ProbeRequest.create(), soon);
    relay.cut();
    expect(await connection.lost).toBe(`lost connection to ${address}`);
  });

  test('calls fail with Unavailable while nobody serves, and work again when somebody does', async () => {
    const server = await startServer(probe);
    const connection = await connect(server.address);
    const client = connection.client(IdentityService);
    await server.stop(0);
    await connection.lost;
    expect(await rejection(client.probe(ProbeRequest.create(), soon))).toMatchObject({
      code: 'Unavailable',
      message: `no connection: connect ENOENT ${server.address}`,
      isFinal: false,
    });

    await startServer(probe, { address: server.address });
    const answers = async (): Promise<unknown> => client.probe(ProbeRequest.create(), soon).catch(answers);
    expect(await answers()).toEqual({ ready: true });
  });

  test('a call under way fails with Unavailable', async () => {
    const entered = Promise.withResolvers<CallContext>();
    const server = await startServer({
      identity: {
        probe: (_, context) => {
          entered.resolve(context);
          return new Promise(() => {});
        },
      },
    });
    const address = socketPath();
    const relay = await startRelay(address, server.address);
    const call = rejection((await connect(address)).client(IdentityService).probe(ProbeRequest.create(), soon));
    const { signal } = await entered.promise;
    relay.cut();
    expect(await call).toMatchObject({ code: 'Unavailable', isFinal: false });
    await untilAborted(signal);
  });

  test('lost stays silent after close()', async () => {
    const server = await startServer(probe);
    const connection = await connect(server.address);
    const other = await connect(server.address);
    let isLost = false;
    void connection.lost.then(() => {
      isLost = true;
    });
    connection.close();
    await server.stop(0);
    await other.lost;
    expect(isLost).toBe(false);
    expect(await rejection(connection.client(IdentityService).probe(ProbeRequest.create(), soon))).toMatchObject({
      code: 'Canceled',
      message: 'the connection is closed',
    });
  });
});

describe('a server that is no gRPC server', () => {
  const junk: [string, Buffer][] = [
    ['text', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\nhello')],
    ['random bytes', Buffer.from(Array.from({ length: 256 }, (_, i) => (i * 167 + 13) % 256))],
  ];

  test.each(junk)('%s: the dial ends with a clear error', async (_, bytes) => {
    const address = socketPath();
    await startRawServer(address, (socket) => socket.end(bytes));
    expect(await rejection(dialUnix({ address, log: silentLogger, timeoutMs: 300 }))).toMatchObject({
      code: 'DeadlineExceeded',
      message: expect.stringContaining('does not answer as a gRPC server'),
    });
  });

  test('one that says nothing ends the same way', async () => {
    const address = socketPath();
    await startRawServer(address, () => {});
    expect(await rejection(dialUnix({ address, log: silentLogger, timeoutMs: 300 }))).toMatchObject({
      message: expect.stringContaining('does not answer as a gRPC server'),
    });
  });
});
