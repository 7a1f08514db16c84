import { createWorkQueue, type Outcome, runController } from '@holdfast/control';
import { type Clock, createKeyedLock, errorMessage, type Logger } from '@holdfast/core';
import {
  InfoRequest,
  NodeGetInfoRequest,
  type PluginInfo,
  RegistrationService,
  RegistrationStatus,
} from '@holdfast/csi-spec';
import type { KubeClient, Node } from '@holdfast/kube';
import { dialUnix } from '@holdfast/rpc';
import { publishDriver, withdrawDriver } from './csi-node.ts';
import { type DriverRegistry, driverTimeoutMs, readCapabilities } from './drivers.ts';
import { watchSockets } from './sockets.ts';

// kubelet's limits for the three steps of a registration, and its back-off between attempts.
const dialTimeoutMs = 10_000;
const infoTimeoutMs = 1_000;
const notifyTimeoutMs = 5_000;
const firstRetryMs = 500;
const longestRetryMs = 122_000;

export interface RegistrationDeps {
  readonly client: KubeClient;
  readonly drivers: DriverRegistry;
  readonly pluginsRegistry: string;
  readonly node: () => Promise<Node>;
  readonly log: Logger;
  readonly clock?: Clock;
}

/** Why a plug-in cannot be taken; undefined when it can. */
export function refusal(info: PluginInfo): string | undefined {
  if (info.type !== 'CSIPlugin') {
    return `plug-in type "${info.type}" is not supported; only CSIPlugin is`;
  }
  if (info.name === '') {
    return 'the plug-in has no name';
  }
  if (!info.supportedVersions.some((version) => /^v?1\.\d+\.\d+$/.test(version))) {
    return `none of the CSI versions ${JSON.stringify(info.supportedVersions)} is a 1.x version`;
  }
  return undefined;
}

/** Registers the drivers whose sockets appear below `plugins_registry`, forgets those whose sockets go. */
export async function runRegistration(deps: RegistrationDeps, signal: AbortSignal): Promise<void> {
  const { drivers, log } = deps;
  const queue = createWorkQueue({
    name: 'plugin-registration',
    baseMs: firstRetryMs,
    maxMs: longestRetryMs,
    ...(deps.clock === undefined ? {} : { clock: deps.clock }),
  });
  /** The sockets there are, and which driver each of them brought. */
  const present = new Set<string>();
  const driverBySocket = new Map<string, string>();
  const names = createKeyedLock();

  async function reconcile(socket: string): Promise<Outcome> {
    if (present.has(socket)) {
      await register(socket);
    } else {
      await forget(socket);
    }
    return { kind: 'done' };
  }

  async function register(socket: string): Promise<void> {
    const connection = await dialUnix({ address: socket, log, timeoutMs: dialTimeoutMs, signal });
    try {
      const plugin = connection.client(RegistrationService);
      const info = await plugin.getInfo(InfoRequest.fromPartial({}), { timeoutMs: infoTimeoutMs, signal });
      const error = refusal(info) ?? (await names.run(info.name, () => admit(info, socket), signal));
      const status = RegistrationStatus.fromPartial({ pluginRegistered: error === undefined, error: error ?? '' });
      await plugin.notifyRegistrationStatus(status, { timeoutMs: notifyTimeoutMs, signal });
      if (error !== undefined) {
        throw new Error(`plug-in at ${socket} was not registered: ${error}`);
      }
      log.info('Registered a CSI driver', { driver: info.name, endpoint: info.endpoint });
    } finally {
      connection.close();
    }
  }

  /** Returns what went wrong, for the plug-in to hear. */
  async function admit(info: PluginInfo, socket: string): Promise<string | undefined> {
    const other = [...driverBySocket].find(
      ([path, name]) => name === info.name && path !== socket && present.has(path),
    );
    if (other !== undefined) {
      return `driver name ${info.name} is registered already, by ${other[0]}`;
    }
    const endpoint = info.endpoint === '' ? socket : info.endpoint;
    try {
      const [nodeInfo, capabilities] = await drivers.withNode(
        endpoint,
        async (client) =>
          [
            await client.nodeGetInfo(NodeGetInfoRequest.fromPartial({}), { timeoutMs: driverTimeoutMs, signal }),
            await readCapabilities(client, signal),
          ] as const,
        signal,
      );
      await publishDriver(deps, info.name, nodeInfo, signal);
      driverBySocket.set(socket, info.name);
      drivers.set({ name: info.name, endpoint, capabilities });
      return undefined;
    } catch (error) {
      return errorMessage(error);
    }
  }

  async function forget(socket: string): Promise<void> {
    const name = driverBySocket.get(socket);
    if (name === undefined) {
      return;
    }
    await names.run(name, () => withdraw(name, socket), signal);
  }

  async function withdraw(name: string, socket: string): Promise<void> {
    // Another socket may have brought the driver in the meantime; then it stays.
    if (![...driverBySocket].some(([path, brought]) => brought === name && path !== socket)) {
      drivers.remove(name);
      await withdrawDriver(deps, name, signal);
    }
    driverBySocket.delete(socket);
    log.info('A CSI driver has gone', { driver: name, socket });
  }

  const watching = watchSockets(
    deps.pluginsRegistry,
    ({ appeared, removed }) => {
      for (const { path } of appeared) {
        present.add(path);
        queue.forget(path);
        queue.add(path);
      }
      for (const path of removed) {
        present.delete(path);
        queue.forget(path);
        queue.add(path);
      }
    },
    signal,
  );
  // Several, so that a dead socket, which takes the whole dial limit, holds up nobody else.
  const working = runController({ name: 'plugin-registration', queue, workers: 4, reconcile, log, signal });
  await Promise.all([watching, working]);
}
