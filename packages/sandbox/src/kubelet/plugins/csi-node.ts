import type { NodeGetInfoResponse } from '@holdfast/csi-spec';
import {
  type CSINode,
  csiNodes,
  isAlreadyExists,
  isConflict,
  isNotFound,
  type KubeClient,
  type Node,
  nodes,
} from '@holdfast/kube';

export interface DriverEntry {
  readonly name: string;
  readonly nodeID: string;
  readonly topologyKeys?: string[];
  readonly allocatable?: { readonly count?: number };
}

/** A driver whose answer does not fit what the node says already. */
export class NodeInfoError extends Error {
  override readonly name = 'NodeInfoError';
}

const longestNodeIdBytes = 256;

/** The driver's entry in CSINode. @throws NodeInfoError when the answer breaks the CSI specification */
export function driverEntry(name: string, info: NodeGetInfoResponse): DriverEntry {
  if (info.nodeId === '' || Buffer.byteLength(info.nodeId) > longestNodeIdBytes) {
    throw new NodeInfoError(
      `driver ${name} answered NodeGetInfo with a node id that is empty or longer than 256 bytes`,
    );
  }
  if (info.maxVolumesPerNode < 0n) {
    throw new NodeInfoError(`driver ${name} answered NodeGetInfo with max_volumes_per_node below 0`);
  }
  // CSINode counts in int32; 0 means that the driver sets no limit.
  const count = Number(info.maxVolumesPerNode > 2_147_483_647n ? 2_147_483_647n : info.maxVolumesPerNode);
  return {
    name,
    nodeID: info.nodeId,
    topologyKeys: Object.keys(info.accessibleTopology?.segments ?? {}).toSorted(),
    ...(count > 0 ? { allocatable: { count } } : {}),
  };
}

/** The labels to add to the node. @throws NodeInfoError when one is there with another value */
export function missingLabels(node: Node, segments: Readonly<Record<string, string>>): Record<string, string> {
  const present = node.metadata.labels ?? {};
  const missing: Record<string, string> = {};
  for (const [key, value] of Object.entries(segments)) {
    const label = present[key];
    if (label !== undefined && label !== value) {
      throw new NodeInfoError(
        `detected topology value collision: driver reported "${key}":"${value}" but existing label is "${key}":"${label}"`,
      );
    }
    if (label === undefined) {
      missing[key] = value;
    }
  }
  return missing;
}

/** The list with the entry in it, or undefined when it says so already. */
export function withDriver(drivers: readonly DriverEntry[], entry: DriverEntry): readonly DriverEntry[] | undefined {
  const present = drivers.find(({ name }) => name === entry.name);
  if (present !== undefined && JSON.stringify(normal(present)) === JSON.stringify(normal(entry))) {
    return undefined;
  }
  return [...drivers.filter(({ name }) => name !== entry.name), entry];
}

export function withoutDriver(drivers: readonly DriverEntry[], name: string): readonly DriverEntry[] | undefined {
  return drivers.some((driver) => driver.name === name) ? drivers.filter((driver) => driver.name !== name) : undefined;
}

function normal({ name, nodeID, topologyKeys, allocatable }: DriverEntry): unknown {
  return [name, nodeID, topologyKeys ?? [], allocatable?.count];
}

interface WriteDeps {
  readonly client: KubeClient;
  readonly node: () => Promise<Node>;
}

/** Puts the driver into CSINode and its topology on the node's labels. */
export async function publishDriver(
  deps: WriteDeps,
  name: string,
  info: NodeGetInfoResponse,
  signal: AbortSignal,
): Promise<void> {
  const node = await deps.node();
  const entry = driverEntry(name, info);
  const labels = missingLabels(node, info.accessibleTopology?.segments ?? {});
  if (Object.keys(labels).length > 0) {
    const body = { metadata: { uid: node.metadata.uid, labels } };
    await deps.client.patch(nodes, { name: node.metadata.name }, { kind: 'merge', body }, { signal });
  }
  await editDrivers(deps, node, (drivers) => withDriver(drivers, entry), signal);
}

export async function withdrawDriver(deps: WriteDeps, name: string, signal: AbortSignal): Promise<void> {
  await editDrivers(deps, await deps.node(), (drivers) => withoutDriver(drivers, name), signal);
}

/** The list is patched as a whole, so each write names the version it was made from and is made again on a conflict. */
async function editDrivers(
  { client }: WriteDeps,
  node: Node,
  edit: (drivers: readonly DriverEntry[]) => readonly DriverEntry[] | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { name } = node.metadata;
  for (;;) {
    signal.throwIfAborted();
    try {
      const csiNode = await getOrCreate(client, node, signal);
      const drivers = edit(csiNode.spec.drivers ?? []);
      if (drivers !== undefined) {
        const { uid, resourceVersion } = csiNode.metadata;
        const body = { metadata: { uid, resourceVersion }, spec: { drivers } };
        await client.patch(csiNodes, { name }, { kind: 'merge', body }, { signal });
      }
      return;
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) {
        throw error;
      }
    }
  }
}

async function getOrCreate(client: KubeClient, node: Node, signal: AbortSignal): Promise<CSINode> {
  const { name, uid } = node.metadata;
  try {
    return await client.get(csiNodes, { name }, { signal });
  } catch (error) {
    if (!isNotFound(error)) {
      throw error;
    }
  }
  const draft = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSINode',
    metadata: { name, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] },
    spec: { drivers: [] },
  };
  try {
    return await client.create(csiNodes, draft, { signal });
  } catch (error) {
    if (isAlreadyExists(error)) {
      return client.get(csiNodes, { name }, { signal });
    }
    throw error;
  }
}
