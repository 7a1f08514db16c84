import { type Clock, errorMessage, type Logger, systemClock } from '@holdfast/core';
import {
  type ControllerCapability,
  ControllerService,
  controllerCapabilities,
  IdentityService,
  type PluginCapabilityName,
  pluginCapabilities,
} from '@holdfast/csi-spec';
import { type Client, type Connection, dialUnix, type OperationMetrics, toRpcError } from '@holdfast/rpc';
import { ConnectionLostError, ExitError } from './exit.ts';

const PROBE_INTERVAL_MS = 1000;

export interface DriverConnection {
  readonly connection: Connection;
  readonly driverName: string;
  readonly pluginCapabilities: ReadonlySet<PluginCapabilityName>;
  /** Empty when the driver has no controller service. */
  readonly controllerCapabilities: ReadonlySet<ControllerCapability>;
}

export interface DriverConnectionDeps {
  readonly address: string;
  /** Of each call. */
  readonly timeoutMs: number;
  /** How long to wait until somebody serves the socket; 30 s, as upstream, when not given. */
  readonly connectTimeoutMs?: number;
  readonly log: Logger;
  readonly metrics?: OperationMetrics;
  /** How many characters of an answer are logged. Default: all, as for 0 and less. */
  readonly maxLoggedLength?: number;
  /** Exit code when the driver's identity or capabilities cannot be had; 255 for csi-provisioner. */
  readonly fatalExitCode?: number;
  readonly clock?: Clock;
  readonly signal: AbortSignal;
}

/**
 * Connects to ask the driver's name, and nothing else. No probe: who registers or watches a driver must not wait for its
 * backend.
 * @param deps.connectTimeoutMs 0 waits for ever
 * @throws ExitError
 */
export async function readDriverName(deps: DriverConnectionDeps): Promise<string> {
  const connection = await connect(deps);
  try {
    return await pluginName(connection.client(IdentityService), deps);
  } catch (error) {
    if (deps.signal.aborted) throw error;
    throw new ExitError(`cannot learn the name of the CSI driver at ${deps.address}: ${errorMessage(error)}`, {
      cause: error,
    });
  } finally {
    connection.close();
  }
}

async function pluginName(identity: Client<typeof IdentityService>, deps: DriverConnectionDeps): Promise<string> {
  const { name } = await identity.getPluginInfo({}, { timeoutMs: deps.timeoutMs, signal: deps.signal });
  if (name === '') {
    throw new Error(
      `GetPluginInfo answered with an empty driver name: correct the driver, or name another socket with --csi-address`,
    );
  }
  return name;
}

/** Connects, waits until the driver says it is ready, and asks who it is and what it can do. @throws ExitError */
export async function connectDriver(deps: DriverConnectionDeps): Promise<DriverConnection> {
  const connection = await connect(deps);
  try {
    const identity = connection.client(IdentityService);
    await probeUntilReady(identity, deps);
    return await discover(connection, identity, deps);
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Waits for the socket to be served. @throws ExitError */
async function connect(deps: DriverConnectionDeps): Promise<Connection> {
  const { address, log, metrics, connectTimeoutMs, maxLoggedLength, clock, signal } = deps;
  try {
    return await dialUnix({
      address,
      log,
      signal,
      ...(metrics === undefined ? {} : { metrics }),
      ...(connectTimeoutMs === undefined ? {} : { timeoutMs: connectTimeoutMs }),
      ...(maxLoggedLength === undefined ? {} : { maxLoggedLength }),
      ...(clock === undefined ? {} : { clock }),
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ExitError(`cannot connect to the CSI driver: ${errorMessage(error)}`, { cause: error });
  }
}

/** Not ready and a deadline are asked again, for ever; any other error is final, as upstream. */
async function probeUntilReady(identity: Client<typeof IdentityService>, deps: DriverConnectionDeps): Promise<void> {
  const { timeoutMs, log, clock = systemClock, signal } = deps;
  for (;;) {
    try {
      const { ready } = await identity.probe({}, { timeoutMs, signal });
      if (ready !== false) return;
      log.info('CSI driver is not ready');
    } catch (error) {
      if (signal.aborted) throw error;
      if (toRpcError(error).code !== 'DeadlineExceeded') {
        throw new ExitError(`CSI driver probe failed: ${errorMessage(error)}`, { cause: error });
      }
      log.warn('CSI driver did not answer the probe in time', { timeoutMs });
    }
    await clock.sleep(PROBE_INTERVAL_MS, signal);
  }
}

async function discover(
  connection: Connection,
  identity: Client<typeof IdentityService>,
  deps: DriverConnectionDeps,
): Promise<DriverConnection> {
  const { timeoutMs, signal, log } = deps;
  const options = { timeoutMs, signal };
  try {
    const name = await pluginName(identity, deps);
    connection.setDriverName(name);
    const plugin = pluginCapabilities(await identity.getPluginCapabilities({}, options));
    const controller = plugin.has('CONTROLLER_SERVICE')
      ? controllerCapabilities(await connection.client(ControllerService).controllerGetCapabilities({}, options))
      : new Set<ControllerCapability>();
    log.debug(2, 'Detected CSI driver', { driver: name, plugin, controller });
    return { connection, driverName: name, pluginCapabilities: plugin, controllerCapabilities: controller };
  } catch (error) {
    if (signal.aborted) throw error;
    const exitCode = deps.fatalExitCode ?? 1;
    throw new ExitError(`cannot learn what the CSI driver at ${deps.address} is: ${errorMessage(error)}`, {
      exitCode,
      cause: error,
    });
  }
}

/**
 * Ends when `signal` aborts. A connection that drops is never dialled again: the container restarts and asks the driver
 * afresh, which may be another version by then.
 * @throws ConnectionLostError
 */
export async function failOnConnectionLoss(connection: Connection, log: Logger, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const stop = Promise.withResolvers<undefined>();
  const onAbort = (): void => stop.resolve(undefined);
  signal.addEventListener('abort', onAbort, { once: true });
  const reason = await Promise.race([connection.lost, stop.promise]);
  signal.removeEventListener('abort', onAbort);
  if (reason === undefined) return;
  log.error('Lost connection to CSI driver', { reason });
  throw new ConnectionLostError('Lost connection to CSI driver, exiting');
}
