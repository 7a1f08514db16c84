import { arch, cpus, hostname, platform, release, totalmem } from 'node:os';
import type { Node } from '@holdfast/kube';
import { includes } from '../includes.ts';

export interface NodeFacts {
  readonly nodeName: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly httpPort: number;
  /** Room for emptyDir and logs, of the file system the kubelet lies on. */
  readonly ephemeralBytes: bigint;
}

type NodeStatus = NonNullable<Node['status']>;

/** What kubelet says when all is well; a pod's demands for memory and disk are not held against it here. */
const conditions = [
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'],
] as const;

const architecture = arch() === 'x64' ? 'amd64' : arch();

export function nodeLabels({ nodeName, labels }: NodeFacts): Record<string, string> {
  return {
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': platform(),
    'kubernetes.io/arch': architecture,
    ...labels,
  };
}

/**
 * `volumesInUse` and `volumesAttached` are left as they are: the first outlives a restart, the second is not ours. Conditions go into a
 * strategic merge, so that those of others stay.
 */
export function nodeStatus(facts: NodeFacts, present: Node | undefined, nowMs: number): NodeStatus {
  const now = new Date(nowMs).toISOString();
  return {
    ...constantStatus(facts),
    conditions: conditions.map(([type, status, reason, message]) => {
      const known = present?.status?.conditions?.find((condition) => condition.type === type);
      const lastTransitionTime = known?.status === status ? (known.lastTransitionTime ?? now) : now;
      return { type, status, reason, message, lastHeartbeatTime: now, lastTransitionTime };
    }),
  };
}

/** Whether the Node says what this kubelet would, but for the times. */
export function isStatusCurrent(facts: NodeFacts, node: Node): boolean {
  const known = node.status?.conditions ?? [];
  return (
    includes(node.status, constantStatus(facts)) &&
    conditions.every(([type, status, reason, message]) =>
      known.some((condition) => includes(condition, { type, status, reason, message })),
    )
  );
}

function constantStatus({ nodeName, httpPort, ephemeralBytes }: NodeFacts): NodeStatus {
  const resources = {
    cpu: String(cpus().length),
    memory: kibibytes(BigInt(totalmem())),
    'ephemeral-storage': kibibytes(ephemeralBytes),
    pods: '110',
  };
  return {
    capacity: resources,
    allocatable: resources,
    addresses: [
      { type: 'InternalIP', address: '127.0.0.1' },
      { type: 'Hostname', address: nodeName },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: httpPort } },
    nodeInfo: {
      architecture,
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

/** As kubelet writes them; an API server changes no letter of it, which a comparison needs. */
function kibibytes(bytes: bigint): string {
  return `${bytes / 1024n}Ki`;
}
