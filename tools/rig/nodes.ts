import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { csiNodes, isNotFound, type KubeClient, nodes } from '@holdfast/kube';
import type { NodeSpec, RigNode } from './contract.ts';
import { lastLines, startProgram } from './program.ts';
import { driverNameOf, kubelet, kubeletRoot, nodeDriver, type Places, registrar } from './programs.ts';
import { waitUntil } from './wait-until.ts';

const registeredTimeoutMs = 180_000;

/** Starts a node's programs and waits until the cluster knows the node, and that the driver runs there. */
export async function startRigNode(deps: {
  readonly places: Places;
  readonly spec: NodeSpec;
  readonly client: KubeClient;
  /** Told of the node before it is ready, so that what has been started is ended whatever happens. */
  readonly onStart: (node: RigNode) => void;
  readonly signal: AbortSignal;
}): Promise<RigNode> {
  const { places, spec, client, signal } = deps;
  // As a registrar's pod would have it made, by `type: DirectoryOrCreate`.
  mkdirSync(join(kubeletRoot(places, spec.name), 'plugins_registry'), { recursive: true });
  const node: RigNode = {
    name: spec.name,
    kubeletRoot: kubeletRoot(places, spec.name),
    kubelet: await startProgram(kubelet(places, spec)),
    driver: await startProgram(nodeDriver(places, spec)),
    registrar: await startProgram(registrar(places, spec)),
  };
  deps.onStart(node);
  await waitUntil({
    what: `the driver to be registered on ${spec.name}`,
    look: async () => {
      for (const program of programsOf(node)) {
        if (!program.isRunning())
          throw new Error(`${program.label} ended; the end of its log:\n${lastLines(program.log(), 20)}`);
      }
      return (await isRegistered(client, spec.name, driverNameOf(places.backend), signal)) ? true : undefined;
    },
    timeoutMs: registeredTimeoutMs,
    signal,
  });
  return node;
}

export function programsOf({ kubelet, driver, registrar }: RigNode): readonly RigNode['kubelet'][] {
  return [kubelet, registrar, driver];
}

async function isRegistered(client: KubeClient, name: string, driver: string, signal: AbortSignal): Promise<boolean> {
  try {
    const csiNode = await client.get(csiNodes, { name }, { signal });
    // A list without entries is served as null: Go's encoder, and no omitempty.
    const drivers: typeof csiNode.spec.drivers | null = csiNode.spec.drivers;
    if (!(drivers ?? []).some((entry) => entry.name === driver)) return false;
    const node = await client.get(nodes, { name }, { signal });
    // Until the node controller has seen it ready it bears a taint, and no pod is placed on it.
    return node.spec?.taints?.some(({ key }) => key === 'node.kubernetes.io/not-ready') !== true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
