import { isAlreadyExists, isNotFound, type KubeClient, KubeError, type Lease, leases, type Node } from '@holdfast/kube';

const namespace = 'kube-node-lease';

export interface NodeLease {
  /** One write, or two where somebody else wrote or removed it. */
  renew(signal: AbortSignal): Promise<void>;
}

/** The sign of life that the node lifecycle controller goes by. The Node owns it, so that it goes with the Node. */
export function createNodeLease(deps: {
  readonly client: KubeClient;
  readonly nodeName: string;
  readonly node: () => Node | undefined;
  readonly leaseDurationMs: number;
  readonly nowMs: () => number;
}): NodeLease {
  const { client, nodeName } = deps;
  const ref = { name: nodeName, namespace };
  let held: Lease | undefined;

  const spec = () => ({
    holderIdentity: nodeName,
    leaseDurationSeconds: Math.max(1, Math.ceil(deps.leaseDurationMs / 1_000)),
    renewTime: new Date(deps.nowMs()).toISOString().replace('Z', '000Z'),
  });

  function owners(node: Node | undefined) {
    return node === undefined
      ? {}
      : { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata.uid }] };
  }

  async function readOrCreate(signal: AbortSignal): Promise<Lease> {
    try {
      return await client.get(leases, ref, { signal });
    } catch (error) {
      if (!isNotFound(error)) {
        throw error;
      }
    }
    const metadata = { ...ref, ...owners(deps.node()) };
    const draft = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: spec() };
    try {
      return await client.create(leases, draft, { signal });
    } catch (error) {
      return isAlreadyExists(error) ? client.get(leases, ref, { signal }) : Promise.reject(error);
    }
  }

  async function write(lease: Lease, signal: AbortSignal): Promise<void> {
    const metadata = { ...lease.metadata, ...owners(deps.node()) };
    held = await client.replace(leases, ref, { ...lease, metadata, spec: { ...lease.spec, ...spec() } }, { signal });
  }

  return {
    renew: async (signal) => {
      const last = held;
      held = undefined;
      if (last !== undefined) {
        try {
          return await write(last, signal);
        } catch (error) {
          // Written or removed by somebody else: for a lease that is gone a PUT would make it, and is refused for its resourceVersion.
          if (!(error instanceof KubeError)) {
            throw error;
          }
        }
      }
      await write(await readOrCreate(signal), signal);
    },
  };
}
