import { arch, cpus, hostname, platform, release, totalmem } from 'node:os';
import { formatBytes } from '@holdfast/core';
import { isNotFound, type KubeClient, type Node, nodes } from '@holdfast/kube';

export interface NodeFacts {
  readonly nodeName: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly httpPort: number;
  readonly nowMs: number;
}

/** Makes the Node, or takes over the one there is, and reports it ready. */
export async function registerNode(client: KubeClient, facts: NodeFacts, signal: AbortSignal): Promise<Node> {
  const ref = { name: facts.nodeName };
  const labels = nodeLabels(facts);
  try {
    await client.get(nodes, ref, { signal });
    await client.patch(nodes, ref, { kind: 'merge', body: { metadata: { labels } } }, { signal });
  } catch (error) {
    if (!isNotFound(error)) {
      throw error;
    }
    const metadata = { name: facts.nodeName, labels };
    await client.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata, spec: {} }, { signal });
  }
  const patch = { kind: 'merge', body: { status: nodeStatus(facts) } } as const;
  return client.patch(nodes, ref, patch, { subresource: 'status', signal });
}

export function nodeLabels({ nodeName, labels }: NodeFacts): Record<string, string> {
  return {
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': platform(),
    'kubernetes.io/arch': arch() === 'x64' ? 'amd64' : arch(),
    ...labels,
  };
}

/** `volumesInUse` and `volumesAttached` are left as they are: the first outlives a restart, the second is not ours. */
export function nodeStatus({ nodeName, httpPort, nowMs }: NodeFacts): NonNullable<Node['status']> {
  const now = new Date(nowMs).toISOString();
  const resources = { cpu: String(cpus().length), memory: formatBytes(BigInt(totalmem())), pods: '110' };
  return {
    capacity: resources,
    allocatable: resources,
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'KubeletReady',
        message: 'kubelet is posting ready status',
        lastHeartbeatTime: now,
        lastTransitionTime: now,
      },
    ],
    addresses: [
      { type: 'InternalIP', address: '127.0.0.1' },
      { type: 'Hostname', address: nodeName },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: httpPort } },
    nodeInfo: {
      architecture: arch() === 'x64' ? 'amd64' : arch(),
      bootID: '',
      containerRuntimeVersion: 'holdfast-sandbox://0.1.0',
      kernelVersion: release(),
      kubeProxyVersion: '',
      kubeletVersion: 'v1.34.0-holdfast-sandbox',
      machineID: hostname(),
      operatingSystem: platform(),
      osImage: 'this machine',
      systemUUID: '',
    },
  };
}
