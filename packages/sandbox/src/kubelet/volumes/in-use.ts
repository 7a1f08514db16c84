import { createKeyedLock } from '@holdfast/core';
import { type KubeClient, type Node, nodes } from '@holdfast/kube';

/** `node.status.volumesInUse`, which kubelet owns. */
export interface VolumesInUse {
  has(uniqueName: string): boolean;
  names(): readonly string[];
  add(uniqueName: string, signal: AbortSignal): Promise<void>;
  remove(uniqueName: string, signal: AbortSignal): Promise<void>;
}

/** @param onNode hears of the node as it was after each write */
export function createVolumesInUse(deps: {
  readonly client: KubeClient;
  readonly nodeName: string;
  readonly initial: readonly string[];
  readonly onNode: (node: Node) => void;
}): VolumesInUse {
  const lock = createKeyedLock();
  let reported = new Set(deps.initial);

  async function write(next: Set<string>, signal: AbortSignal): Promise<void> {
    const volumesInUse = [...next].toSorted();
    const body = { status: { volumesInUse: volumesInUse.length === 0 ? null : volumesInUse } };
    const patch = { kind: 'merge', body } as const;
    deps.onNode(await deps.client.patch(nodes, { name: deps.nodeName }, patch, { subresource: 'status', signal }));
    reported = next;
  }

  return {
    has: (uniqueName) => reported.has(uniqueName),
    names: () => [...reported],
    add: (uniqueName, signal) => lock.run('node', () => write(new Set([...reported, uniqueName]), signal), signal),
    remove: (uniqueName, signal) =>
      lock.run('node', () => write(new Set([...reported].filter((name) => name !== uniqueName)), signal), signal),
  };
}
