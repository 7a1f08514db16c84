import type { Node } from '@holdfast/kube';
import { readyStatus, type Taint } from '../node-health.ts';

type Condition = NonNullable<NonNullable<Node['status']>['conditions']>[number];

/** In kubelet's hands; when it is silent they are nobody's. */
const kubeletConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

const notReady = 'node.kubernetes.io/not-ready';
const unreachable = 'node.kubernetes.io/unreachable';

/** Condition, status, taint: what kube-controller-manager keeps new pods away for. */
const noScheduleTaints: readonly (readonly [string, string, string])[] = [
  ['Ready', 'False', notReady],
  ['Ready', 'Unknown', unreachable],
  ['MemoryPressure', 'True', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'True', 'node.kubernetes.io/disk-pressure'],
  ['PIDPressure', 'True', 'node.kubernetes.io/pid-pressure'],
  ['NetworkUnavailable', 'True', 'node.kubernetes.io/network-unavailable'],
];
const unschedulable = 'node.kubernetes.io/unschedulable';

/** The conditions of a node whose kubelet is silent, or undefined where they say so already. */
export function unknownConditions(node: Node, nowMs: number): readonly Condition[] | undefined {
  const present = node.status?.conditions ?? [];
  const now = new Date(nowMs).toISOString();
  const changed = kubeletConditions.flatMap((type): Condition[] => {
    const known = present.find((condition) => condition.type === type);
    if (known?.status === 'Unknown') {
      return [];
    }
    const [reason, message] =
      known === undefined
        ? ['NodeStatusNeverUpdated', 'Kubelet never posted node status.']
        : ['NodeStatusUnknown', 'Kubelet stopped posting node status.'];
    const lastHeartbeatTime = known?.lastHeartbeatTime ?? node.metadata.creationTimestamp;
    return [{ type, status: 'Unknown', reason, message, lastHeartbeatTime, lastTransitionTime: now }];
  });
  return changed.length === 0 ? undefined : changed;
}

/**
 * The taints that the node's conditions ask for, others as they are; undefined where nothing changes. Nobody is evicted while no node at
 * all is ready: then it is the control plane that is cut off.
 */
export function nextTaints(node: Node, isAnyReady: boolean, nowMs: number): readonly Taint[] | undefined {
  const present = node.spec?.taints ?? [];
  const wanted = [...noSchedule(node), ...noExecute(node, isAnyReady, present)];
  const kept = present.filter((taint) => !isOurs(taint) || wanted.some((one) => isSame(one, taint)));
  const added = wanted.filter((taint) => !present.some((one) => isSame(one, taint)));
  if (kept.length === present.length && added.length === 0) {
    return undefined;
  }
  const timeAdded = new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
  return [...kept, ...added.map((taint) => ({ ...taint, timeAdded }))];
}

function noSchedule(node: Node): Taint[] {
  const conditions = node.status?.conditions ?? [];
  const keys = noScheduleTaints
    .filter(([type, status]) => conditions.some((condition) => condition.type === type && condition.status === status))
    .map(([, , key]) => key);
  const all = node.spec?.unschedulable === true ? [...keys, unschedulable] : keys;
  return all.map((key) => ({ key, effect: 'NoSchedule' }));
}

function noExecute(node: Node, isAnyReady: boolean, present: readonly Taint[]): Taint[] {
  const status = readyStatus(node);
  if (status === undefined) {
    // Kubelet has not spoken yet: whatever is there stays.
    return present.filter((taint) => taint.effect === 'NoExecute' && isOurs(taint));
  }
  const key = status === 'False' ? notReady : status === 'Unknown' ? unreachable : undefined;
  return key === undefined || !isAnyReady ? [] : [{ key, effect: 'NoExecute' }];
}

function isOurs({ key, effect }: Taint): boolean {
  return effect === 'NoExecute'
    ? key === notReady || key === unreachable
    : effect === 'NoSchedule' && (key === unschedulable || noScheduleTaints.some(([, , known]) => known === key));
}

function isSame(a: Taint, b: Taint): boolean {
  return a.key === b.key && a.effect === b.effect;
}
