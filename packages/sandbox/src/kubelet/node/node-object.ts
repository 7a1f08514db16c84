import { isNotFound, type KubeClient, type Node, nodes } from '@holdfast/kube';
import { type NodeFacts, nodeLabels, nodeStatus } from './node-status.ts';

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
    return await client.patch(nodes, ref, { kind: 'merge', body: { metadata: { labels } } }, { signal });
  } catch (error) {
    if (!isNotFound(error)) {
      throw error;
    }
    const metadata = { name: facts.nodeName, labels };
    return client.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata, spec: {} }, { signal });
  }
}
