import { isNotFound, type KubeClient, type Node, nodes } from '@holdfast/kube';
import { type NodeFacts, nodeLabels, nodeStatus } from './node-status.ts';

/** kubelet's `enableControllerAttachDetach`, its default: without it kube-controller-manager attaches nothing to the node. */
const annotations = { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' };

/** Makes the Node, or takes over the one there is, and reports it ready. */
export async function registerNode(
  client: KubeClient,
  facts: NodeFacts,
  nowMs: number,
  signal: AbortSignal,
): Promise<Node> {
  const node = await createOrLabel(client, facts, signal);
  const patch = { kind: 'strategic', body: { status: nodeStatus(facts, node, nowMs) } } as const;
  return client.patch(nodes, { name: facts.nodeName }, patch, { subresource: 'status', signal });
}

async function createOrLabel(client: KubeClient, facts: NodeFacts, signal: AbortSignal): Promise<Node> {
  const ref = { name: facts.nodeName };
  const labels = nodeLabels(facts);
  try {
    await client.get(nodes, ref, { signal });
    return await client.patch(nodes, ref, { kind: 'merge', body: { metadata: { labels, annotations } } }, { signal });
  } catch (error) {
    if (!isNotFound(error)) {
      throw error;
    }
    const metadata = { name: facts.nodeName, labels, annotations };
    return client.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata, spec: {} }, { signal });
  }
}
