import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { silentLogger } from '@holdfast/core';
import { IdentityService, ProbeRequest, ProbeResponse } from '@holdfast/csi-spec';
import { expect, test } from 'vitest';
import { serveUnix, socketState } from './index.ts';
import { connect, rejection, socketPath, startRawServer, startServer } from './testing/sockets.ts';

const probe = { identity: { probe: async () => ProbeResponse.create({ ready: true }) } };
const soon = { timeoutMs: 20_000 };

/** Leaves a socket file behind that nobody listens on, as a killed server does. */
async function leaveDeadSocket(address: string): Promise<void> {
  const { execFileSync } = await import('node:child_process');
  const listenAndDie = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  expect(() => execFileSync(process.execPath, ['-e', listenAndDie, address], { stdio: 'ignore' })).toThrow();
  expect(await socketState(address)).toEqual({ kind: 'dead' });
}

test('replaces a socket that nobody listens on', async () => {
  const address = socketPath();
  await leaveDeadSocket(address);
  await startServer(probe, { address });
  const client = (await connect(address)).client(IdentityService);
  expect(await client.probe(ProbeRequest.create(), soon)).toEqual({ ready: true });
});

test('refuses to start where a live server listens, and leaves that one alone', async () => {
  const first = await startServer(probe);
  const second = serveUnix({ address: first.address, services: [], log: silentLogger });
  expect(await rejection(second)).toMatchObject({
    message: `cannot serve on ${first.address}: another server listens there; stop it, or choose another path`,
  });
  const client = (await connect(first.address)).client(IdentityService);
  expect(await client.probe(ProbeRequest.create(), soon)).toEqual({ ready: true });
});

test('refuses to start where a live server of another kind listens', async () => {
  const address = socketPath();
  await startRawServer(address, () => {});
  expect(await rejection(serveUnix({ address, services: [], log: silentLogger }))).toMatchObject({
    message: expect.stringContaining('another server listens there'),
  });
});

test('refuses to replace a file that is no socket', async () => {
  const address = socketPath();
  writeFileSync(address, 'precious');
  expect(await rejection(serveUnix({ address, services: [], log: silentLogger }))).toMatchObject({
    message: expect.stringContaining('not a socket; remove it'),
  });
  expect(readFileSync(address, 'utf8')).toBe('precious');
});

test('names the folder that is missing', async () => {
  const address = path.join(socketPath(), 'csi.sock');
  expect(await rejection(serveUnix({ address, services: [], log: silentLogger }))).toMatchObject({
    message: expect.stringContaining('its folder does not exist'),
  });
});

test('sets the permissions asked for', async () => {
  const server = await startServer(probe, { mode: 0o600 });
  expect(statSync(server.address).mode & 0o777).toBe(0o600);
});

test('stop removes the socket, lets a running call finish, and may be called again', async () => {
  const entered = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const server = await startServer({
    identity: {
      async probe() {
        entered.resolve();
        await release.promise;
        return ProbeResponse.create({ ready: true });
      },
    },
  });
  const call = (await connect(server.address)).client(IdentityService).probe(ProbeRequest.create(), soon);
  await entered.promise;
  const stopped = server.stop(20_000);
  expect(await socketState(server.address)).toEqual({ kind: 'missing' });
  release.resolve();
  expect(await call).toEqual({ ready: true });
  await stopped;

  const successor = await startServer(probe, { address: server.address });
  await server.stop();
  expect(existsSync(successor.address)).toBe(true);
});

test('clients that connect and go away, as kubelet and probes do, leave the server as it was', async () => {
  const server = await startServer(probe);
  for (let i = 0; i < 20; i += 1) {
    const socket = net.connect(server.address);
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.end('junk\r\n');
    await new Promise((resolve) => socket.resume().once('close', resolve));
  }
  const client = (await connect(server.address)).client(IdentityService);
  expect(await client.probe(ProbeRequest.create(), soon)).toEqual({ ready: true });
});

test('says why the system refuses to listen', async () => {
  const address = socketPath();
  symlinkSync(path.join(path.dirname(address), 'nowhere', 'csi.sock'), address);
  expect(await rejection(serveUnix({ address, services: [], log: silentLogger }))).toMatchObject({
    message: `cannot serve on ${address}: listen EADDRINUSE: address already in use ${address}`,
  });
});
