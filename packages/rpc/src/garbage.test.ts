import { credentials, Client as GrpcClient } from '@grpc/grpc-js';
import { ControllerService, DeleteVolumeResponse, IdentityService, ProbeRequest } from '@holdfast/csi-spec';
import { expect, onTestFinished, test } from 'vitest';
import { connect, rejection, startForeignServer, startServer } from './testing/sockets.ts';

// A string field whose length runs past the end of the message.
const junk = Buffer.from([0x0a, 0x7f, 0x01]);

test('an answer that is no message rejects with Internal', async () => {
  const address = await startForeignServer(
    { probe: { ...IdentityService.probe, responseSerialize: () => junk } },
    { probe: (_: unknown, answer: (error: null, value: object) => void) => answer(null, {}) },
  );
  const client = (await connect(address)).client(IdentityService);
  expect(await rejection(client.probe(ProbeRequest.create(), { timeoutMs: 20_000 }))).toMatchObject({
    name: 'RpcError',
    code: 'Internal',
  });
});

test('a request that is no message is refused, and the server lives on', async () => {
  let calls = 0;
  const server = await startServer({
    controller: {
      async deleteVolume() {
        calls += 1;
        return DeleteVolumeResponse.create();
      },
    },
  });
  const raw = new GrpcClient(`unix:${server.address}`, credentials.createInsecure());
  onTestFinished(() => raw.close());
  const { path } = ControllerService.deleteVolume;
  const send = (bytes: Buffer) =>
    new Promise((resolve) => {
      raw.makeUnaryRequest(
        path,
        () => bytes,
        (reply) => reply,
        undefined,
        (error) => resolve(error),
      );
    });
  expect(await send(junk)).toMatchObject({ code: 13, details: expect.stringContaining('deserializing') });
  expect(calls).toBe(0);
  expect(await send(Buffer.alloc(0))).toBeNull();
  expect(calls).toBe(1);
});
