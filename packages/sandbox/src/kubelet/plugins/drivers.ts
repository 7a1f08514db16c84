import type { Logger } from '@holdfast/core';
import { type NodeCapability, NodeGetCapabilitiesRequest, NodeService, nodeCapabilities } from '@holdfast/csi-spec';
import { type Client, dialUnix } from '@holdfast/rpc';

/** kubelet's limit for every call to a driver. */
export const driverTimeoutMs = 120_000;
const dialTimeoutMs = 10_000;

export interface RegisteredDriver {
  readonly name: string;
  readonly endpoint: string;
  readonly capabilities: ReadonlySet<NodeCapability>;
}

export type NodeClient = Client<typeof NodeService>;

/** The drivers that have registered and not gone. */
export interface DriverRegistry {
  get(name: string): RegisteredDriver | undefined;
  set(driver: RegisteredDriver): void;
  remove(name: string): void;
  names(): readonly string[];
  onChange(listener: (driverName: string) => void): void;
  /** A fresh connection for each piece of work, as kubelet has it: a driver that was restarted needs no noticing. */
  withNode<T>(endpoint: string, work: (client: NodeClient) => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function createDriverRegistry(deps: { readonly log: Logger }): DriverRegistry {
  const drivers = new Map<string, RegisteredDriver>();
  const listeners: ((driverName: string) => void)[] = [];
  const tell = (name: string) => listeners.forEach((listener) => listener(name));

  return {
    get: (name) => drivers.get(name),
    names: () => [...drivers.keys()],
    set: (driver) => {
      drivers.set(driver.name, driver);
      tell(driver.name);
    },
    remove: (name) => {
      if (drivers.delete(name)) {
        tell(name);
      }
    },
    onChange: (listener) => {
      listeners.push(listener);
    },
    withNode: async (endpoint, work, signal) => {
      const connection = await dialUnix({ address: endpoint, log: deps.log, timeoutMs: dialTimeoutMs, signal });
      try {
        return await work(connection.client(NodeService));
      } finally {
        connection.close();
      }
    },
  };
}

export async function readCapabilities(client: NodeClient, signal: AbortSignal): Promise<ReadonlySet<NodeCapability>> {
  const request = NodeGetCapabilitiesRequest.fromPartial({});
  return nodeCapabilities(await client.nodeGetCapabilities(request, { timeoutMs: driverTimeoutMs, signal }));
}
