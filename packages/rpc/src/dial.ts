import { connectivityState, credentials, Client as GrpcClient, type ServiceDefinition } from '@grpc/grpc-js';
import { type Clock, type Logger, systemClock } from '@holdfast/core';
import { normalizeUnixAddress } from './address.ts';
import { type Client, createClient } from './client.ts';
import { silenceGrpcJs } from './grpc-log.ts';
import { messageSizeOptions } from './limits.ts';
import type { OperationMetrics } from './metrics.ts';
import { rpcError } from './rpc-error.ts';
import { socketState } from './socket-state.ts';
import { type Channel, untilReady } from './until-ready.ts';

export interface Connection {
  client<S extends ServiceDefinition>(service: S): Client<S>;
  /** Resolves with the reason once the connection drops, also while no call is made. Never after `close()`. */
  readonly lost: Promise<string>;
  close(): void;
  /** Sets the metrics' `driver_name` for later calls. */
  setDriverName(name: string): void;
  /** From now on the metrics tell calls for volumes of an in-tree plug-in from others (label `migrated`). */
  countMigration(): void;
}

export interface DialDeps {
  /** `/path`, `unix:/path` or `unix:///path`. */
  address: string;
  log: Logger;
  metrics?: OperationMetrics;
  /** How many characters of an answer are logged. Default: all, as for 0 and less. */
  maxLoggedLength?: number;
  /** How long to wait until somebody serves. Default 30 000; 0 waits for ever. */
  timeoutMs?: number;
  clock?: Clock;
  signal?: AbortSignal;
}

/** Longer than grpc-js can wait before it calls a connection idle: setTimeout takes at most 24.8 days. */
const longestTimerMs = 2 ** 31 - 1;
const dayMs = 24 * 60 * 60 * 1000;

const channelOptions = {
  ...messageSizeOptions,
  // Node's HTTP/2 servers, and some others, refuse a path as authority.
  'grpc.default_authority': 'localhost',
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
  'grpc.client_idle_timeout_ms': longestTimerMs,
  'grpc.enable_http_proxy': 0,
  // A subchannel shared with another connection would outlive this one's close().
  'grpc.use_local_subchannel_pool': 1,
} as const;

async function whyNot(socketPath: string): Promise<string> {
  const state = await socketState(socketPath);
  switch (state.kind) {
    case 'missing':
      return 'there is no such file; is the driver running, and is its folder mounted here?';
    case 'notASocket':
      return 'the file there is not a socket; remove it and restart the driver';
    case 'dead':
      return 'nobody listens on the socket; is the driver running?';
    case 'live':
      return 'what listens there does not answer as a gRPC server; is it the CSI socket?';
    case 'denied':
      return state.reason;
    default:
      return state satisfies never;
  }
}

/** Resolves once the channel leaves READY, which grpc-js does as soon as the socket closes. */
function untilLost(channel: Channel, socketPath: string, isClosed: () => boolean): Promise<string> {
  return new Promise((resolve) => {
    channel.watchConnectivityState(connectivityState.READY, Number.POSITIVE_INFINITY, () => {
      if (!isClosed()) resolve(`lost connection to ${socketPath}`);
    });
  });
}

/**
 * Connects to a driver, waiting until somebody serves. After a loss, a call connects again, or fails with Unavailable when
 * nobody serves.
 *
 * @throws Error for a bad address
 * @throws RpcError DeadlineExceeded when nobody serves in time, Canceled when the signal aborts
 */
export async function dialUnix(deps: DialDeps): Promise<Connection> {
  const { log, metrics, signal, clock = systemClock, timeoutMs = 30_000, maxLoggedLength = 0 } = deps;
  const socketPath = normalizeUnixAddress(deps.address);
  silenceGrpcJs();
  const grpcClient = new GrpcClient(`unix:${socketPath}`, credentials.createInsecure(), channelOptions);
  const channel = grpcClient.getChannel();

  const outcome = await untilReady({
    channel,
    clock,
    timeoutMs,
    signal,
    onStillWaiting: () => {
      // Some callers wait for ever: without the reason nobody would learn that the wrong thing listens there.
      void whyNot(socketPath).then((reason) => log.warn('Still connecting', { address: socketPath, reason }));
    },
  });
  if (outcome !== 'ready') {
    grpcClient.close();
    if (outcome === 'aborted') {
      throw rpcError('Canceled', `gave up connecting to ${socketPath}`, { cause: signal?.reason });
    }
    throw rpcError(
      'DeadlineExceeded',
      `no connection to ${socketPath} within ${timeoutMs} ms: ${await whyNot(socketPath)}`,
    );
  }

  let isClosed = false;
  let driverName: string | undefined;
  let isMigrationCounted = false;
  const lost = untilLost(channel, socketPath, () => isClosed);
  // Asking to connect counts as activity, so the idle timer above never gets to its end.
  const keepBusy = setInterval(() => channel.getConnectivityState(true), dayMs);
  keepBusy.unref();
  return {
    lost,
    client: (service) =>
      createClient(grpcClient, service, {
        log,
        metrics,
        driverName: () => driverName,
        isClosed: () => isClosed,
        isMigrationCounted: () => isMigrationCounted,
        maxLoggedLength,
      }),
    close() {
      isClosed = true;
      clearInterval(keepBusy);
      grpcClient.close();
    },
    setDriverName(name) {
      driverName = name;
    },
    countMigration() {
      isMigrationCounted = true;
    },
  };
}
