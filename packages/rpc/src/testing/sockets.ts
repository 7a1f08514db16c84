import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { type Logger, silentLogger } from '@holdfast/core';
import {
  ControllerService,
  CreateVolumeRequest,
  CreateVolumeResponse,
  IdentityService,
  NodeService,
} from '@holdfast/csi-spec';
import { onTestFinished } from 'vitest';
import { type Connection, type DialDeps, dialUnix } from '../dial.ts';
import { type ServeDeps, serveUnix, type UnixServer } from '../serve.ts';
import { bindService, type Handlers } from '../service.ts';

/** A path for a socket in a folder of its own, removed when the test ends. */
export function socketPath(name = 'csi.sock'): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-rpc-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return path.join(folder, name);
}

export interface DriverHandlers {
  controller?: Handlers<typeof ControllerService>;
  identity?: Handlers<typeof IdentityService>;
  node?: Handlers<typeof NodeService>;
}

export async function startServer(
  handlers: DriverHandlers,
  options: Partial<ServeDeps> = {},
): Promise<UnixServer & { log: Logger }> {
  const log = options.log ?? silentLogger;
  const server = await serveUnix({
    address: socketPath(),
    log,
    services: [
      bindService(ControllerService, handlers.controller ?? {}),
      bindService(IdentityService, handlers.identity ?? {}),
      bindService(NodeService, handlers.node ?? {}),
    ],
    ...options,
  });
  onTestFinished(() => server.stop(0));
  return { ...server, log };
}

export async function connect(address: string, options: Partial<DialDeps> = {}): Promise<Connection> {
  const connection = await dialUnix({ address, log: silentLogger, ...options });
  onTestFinished(() => connection.close());
  return connection;
}

/** A server that is no gRPC server: it does what it is told with each connection. */
export async function startRawServer(address: string, onConnection: (socket: net.Socket) => void): Promise<net.Server> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(address, resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return server;
}

/** Forwards `address` to a server, until it is cut as a kill would cut it: no goodbye. */
export async function startRelay(address: string, server: string): Promise<{ cut(): void }> {
  const sockets: net.Socket[] = [];
  await startRawServer(address, (socket) => {
    const upstream = net.connect(server);
    upstream.on('error', () => socket.destroy());
    sockets.push(socket, upstream);
    socket.pipe(upstream).pipe(socket);
  });
  return {
    cut() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A driver that is not built with this package. */
export async function startForeignServer(
  service: ServiceDefinition,
  implementation: UntypedServiceImplementation,
): Promise<string> {
  const address = socketPath();
  const server = new Server();
  server.addService(service, implementation);
  await new Promise((resolve) => server.bindAsync(`unix:${address}`, ServerCredentials.createInsecure(), resolve));
  onTestFinished(() => server.forceShutdown());
  return address;
}

export const createVolume = CreateVolumeRequest.create({ name: 'pvc-1' });
export const createdVolume = CreateVolumeResponse.create({ volume: { volumeId: 'vol-1' } });

/** Resolves with what a promise rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected a rejection');
}
