import { existsSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Logger } from '@holdfast/core';
import { normalizeUnixAddress } from './address.ts';
import { silenceGrpcJs } from './grpc-log.ts';
import { messageSizeOptions } from './limits.ts';
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

function listen(server: Server, socketPath: string): Promise<void> {
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

function shutDown(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.forceShutdown(), graceMs);
    server.tryShutdown(() => {
      clearTimeout(force);
      resolve();
    });
  });
}

/**
 * Serves on a unix socket.
 *
 * @throws Error for a bad address, when a live server or a file that is no socket is at the path, or its folder is missing
 */
export async function serveUnix(deps: ServeDeps): Promise<UnixServer> {
  const { services, log, metrics, mode } = deps;
  const socketPath = normalizeUnixAddress(deps.address);
  silenceGrpcJs();
  const server = new Server(messageSizeOptions);
  for (const binding of services) addService(server, binding, { log, metrics, driverName: () => undefined });

  await clearPath(socketPath, log);
  await listen(server, socketPath);
  if (mode !== undefined) await chmod(socketPath, mode);
  log.info('Listening', { address: socketPath });

  let stopped: Promise<void> | undefined;
  return {
    address: socketPath,
    // Closing the listener unlinks the socket, and must not be done twice: by then another server may own the path.
    stop: (graceMs = 5000) => (stopped ??= shutDown(server, graceMs)),
  };
}
