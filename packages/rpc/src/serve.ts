import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Logger } from '@holdfast/core';
import { normalizeUnixAddress } from './address.ts';
import { silenceGrpcJs } from './grpc-log.ts';
import { messageSizeOptions } from './limits.ts';
import { withLocalAuthorities } from './local-authority.ts';
import type { OperationMetrics } from './metrics.ts';
import type { ObserveDeps } from './observe.ts';
import type { ServiceBinding } from './service.ts';
import { socketState } from './socket-state.ts';
import { streamHandler } from './stream-handler.ts';
import { unaryHandler } from './unary-handler.ts';

export interface UnixServer {
  /** Absolute path of the socket. */
  readonly address: string;
  /** Takes no new call, waits up to `graceMs` (default 5000) for those that run, then cuts them; the socket is gone after. */
  stop(graceMs?: number): Promise<void>;
}

export interface ServeDeps {
  /** `/path`, `unix:/path` or `unix:///path`. */
  address: string;
  services: readonly ServiceBinding[];
  log: Logger;
  metrics?: OperationMetrics;
  /** Permissions of the socket, such as 0o600. Default: what the umask leaves. */
  mode?: number;
  /** Serves clients that send a path as `:authority` too; see `withLocalAuthorities`. */
  acceptsAnyAuthority?: boolean;
}

/** A socket file outlives a killed server; it is removed only after a connect proved that nobody listens. */
async function clearPath(socketPath: string, log: Logger): Promise<void> {
  const state = await socketState(socketPath);
  switch (state.kind) {
    case 'missing':
      if (existsSync(dirname(socketPath))) return;
      throw new Error(`cannot serve on ${socketPath}: its folder does not exist; create it first`);
    case 'dead':
      log.info('Removing a socket that nobody listens on', { address: socketPath });
      return rm(socketPath, { force: true });
    case 'live':
      throw new Error(`cannot serve on ${socketPath}: another server listens there; stop it, or choose another path`);
    case 'notASocket':
      throw new Error(
        `cannot serve on ${socketPath}: the file there is not a socket; remove it, or choose another path`,
      );
    case 'denied':
      throw new Error(`cannot serve on ${socketPath}: ${state.reason}`);
    default:
      return state satisfies never;
  }
}

/** grpc-js wraps what the system said in a sentence about resolved addresses. */
function listenReason(error: Error): string {
  return /errors: \[(.+)\]$/.exec(error.message)?.[1] ?? error.message;
}

/** Ends the listening, where that is not the server's own, and resolves when the last connection is gone. */
type EndListening = (graceMs: number) => Promise<void>;

async function listen(server: Server, socketPath: string, isThrough: boolean): Promise<EndListening | undefined> {
  if (isThrough) return listenThrough(server, socketPath);
  await bind(server, socketPath);
  return undefined;
}

/** A listener of our own, so that connections can be looked into on their way to the server. */
async function listenThrough(server: Server, socketPath: string): Promise<EndListening> {
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)));
    injector.injectConnection(withLocalAuthorities(socket));
  });
  try {
    await once(listener.listen(socketPath), 'listening');
  } catch (error) {
    throw new Error(`cannot serve on ${socketPath}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  return async (graceMs) => {
    const force = setTimeout(() => sockets.forEach((socket) => socket.destroy()), graceMs);
    await new Promise((resolve) => listener.close(resolve));
    clearTimeout(force);
  };
}

function bind(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(new Error(`cannot serve on ${socketPath}: ${listenReason(error)}`, { cause: error }));
    });
  });
}

function addService(server: Server, { service, handlers }: ServiceBinding, deps: ObserveDeps): void {
  const served = Object.entries(service).filter(([, method]) => !method.requestStream);
  server.addService(
    Object.fromEntries(
      served.map(([name, method]) => [name, { ...method, responseSerialize: (encoded: Buffer) => encoded }]),
    ),
    Object.fromEntries(
      served.map(([name, method]) => [
        name,
        (method.responseStream ? streamHandler : unaryHandler)(deps, method, handlers.get(name)),
      ]),
    ),
  );
}

async function shutDown(server: Server, endListening: EndListening | undefined, graceMs: number): Promise<void> {
  const force = setTimeout(() => server.forceShutdown(), graceMs);
  const shut = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  // grpc-js does not hear of the end of every session that was handed to it, and none is left when the last connection is gone.
  await (endListening === undefined ? shut : endListening(graceMs));
  clearTimeout(force);
}

/**
 * Serves on a unix socket.
 *
 * @throws Error for a bad address, when a live server or a file that is no socket is at the path, or its folder is missing
 */
export async function serveUnix(deps: ServeDeps): Promise<UnixServer> {
  const { services, log, metrics, mode, acceptsAnyAuthority = false } = deps;
  const socketPath = normalizeUnixAddress(deps.address);
  silenceGrpcJs();
  const server = new Server(messageSizeOptions);
  for (const binding of services) addService(server, binding, { log, metrics, driverName: () => undefined });

  await clearPath(socketPath, log);
  const endListening = await listen(server, socketPath, acceptsAnyAuthority);
  if (mode !== undefined) await chmod(socketPath, mode);
  log.info('Listening', { address: socketPath });

  let stopped: Promise<void> | undefined;
  return {
    address: socketPath,
    // Closing the listener unlinks the socket, and must not be done twice: by then another server may own the path.
    stop: (graceMs = 5000) => (stopped ??= shutDown(server, endListening, graceMs)),
  };
}
