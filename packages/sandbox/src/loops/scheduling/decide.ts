import {
  type CSINode,
  type Node,
  objectKey,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  type StorageClass,
} from '@holdfast/kube';
import { findVolume } from '../binding/match.ts';
import { annotations, noProvisioner } from '../names.ts';
import { canNodeReachVolume, isNodeAllowedByClass, matchesNode } from '../selectors.ts';
import { hasRoom, type StorageRoom } from './capacity.ts';

/** A claim as a pod finds it. */
export type PodClaimState =
  | { readonly kind: 'missing'; readonly name: string }
  | { readonly kind: 'bound'; readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }
  /** For one pod alone, which has it already. */
  | { readonly kind: 'taken'; readonly claim: PersistentVolumeClaim }
  | { readonly kind: 'immediate'; readonly claim: PersistentVolumeClaim }
  | { readonly kind: 'delayed'; readonly claim: PersistentVolumeClaim; readonly storageClass: StorageClass };

export interface Candidate {
  readonly node: Node;
  readonly csiNode: CSINode | undefined;
  /** Handles of the volumes in use on the node, by driver, and keys of the claims whose volume is yet to be made there. */
  readonly volumesByDriver: ReadonlyMap<string, ReadonlySet<string>>;
  readonly podCount: number;
}

export interface PodView {
  readonly pod: Pod;
  readonly claims: readonly PodClaimState[];
  readonly candidates: readonly Candidate[];
  /** All volumes, for claims that an existing one can serve. */
  readonly volumes: readonly PersistentVolume[];
  /** The names of drivers that are known to the cluster, by a CSIDriver object or on any node. */
  readonly drivers: ReadonlySet<string>;
  readonly room: StorageRoom;
  /** The node that volumes were made for on this pod's behalf. */
  readonly preferredNode: string | undefined;
}

export type SchedulingStep =
  | { readonly kind: 'bindPod'; readonly nodeName: string }
  /** Reserve or order what the delayed claims need on the node, and wait until they are bound. */
  | { readonly kind: 'bindClaims'; readonly nodeName: string; readonly claims: readonly ClaimBinding[] }
  | { readonly kind: 'unschedulable'; readonly message: string };

export type ClaimBinding =
  | { readonly kind: 'reserve'; readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }
  | { readonly kind: 'provision'; readonly claim: PersistentVolumeClaim };

type Fit =
  | { readonly kind: 'fits'; readonly claims: readonly ClaimBinding[] }
  | { readonly kind: 'no'; readonly why: string };

interface FittingNode {
  readonly candidate: Candidate;
  readonly claims: readonly ClaimBinding[];
}

/** Chooses a node for a pod: the emptiest one that can reach, or get, every volume. */
export function decidePod(view: PodView): SchedulingStep {
  const obstacle = claimObstacle(view);
  if (obstacle !== undefined) {
    return { kind: 'unschedulable', message: `0/${view.candidates.length} nodes are available: ${obstacle}.` };
  }
  const refusals = new Map<string, number>();
  const fitting: FittingNode[] = [];
  for (const candidate of view.candidates) {
    const fit = fitNode(view, candidate);
    if (fit.kind === 'fits') {
      fitting.push({ candidate, claims: fit.claims });
    } else {
      refusals.set(fit.why, (refusals.get(fit.why) ?? 0) + 1);
    }
  }
  const best = fitting.toSorted(
    (a, b) =>
      preference(view, b) - preference(view, a) ||
      a.candidate.podCount - b.candidate.podCount ||
      (a.candidate.node.metadata.name < b.candidate.node.metadata.name ? -1 : 1),
  )[0];
  if (best === undefined) {
    return { kind: 'unschedulable', message: summary(view.candidates.length, refusals) };
  }
  const nodeName = best.candidate.node.metadata.name;
  const isWaiting = view.claims.some((state) => state.kind === 'delayed');
  return isWaiting ? { kind: 'bindClaims', nodeName, claims: best.claims } : { kind: 'bindPod', nodeName };
}

/** What no node can help with. */
function claimObstacle({ claims }: PodView): string | undefined {
  for (const state of claims) {
    if (state.kind === 'missing') {
      return `persistentvolumeclaim "${state.name}" not found`;
    }
    if (state.claim.metadata.deletionTimestamp !== undefined) {
      return `persistentvolumeclaim "${state.claim.metadata.name}" is being deleted`;
    }
    if (state.claim.status?.phase === 'Lost') {
      return `persistentvolumeclaim "${state.claim.metadata.name}" bound to non-existent persistentvolume "${state.claim.spec?.volumeName ?? ''}"`;
    }
  }
  if (claims.some((state) => state.kind === 'immediate')) {
    return 'pod has unbound immediate PersistentVolumeClaims';
  }
  return claims.some((state) => state.kind === 'taken')
    ? 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'
    : undefined;
}

function fitNode(view: PodView, candidate: Candidate): Fit {
  const why = nodeRefusal(view.pod, candidate.node);
  if (why !== undefined) {
    return { kind: 'no', why };
  }
  const bindings: ClaimBinding[] = [];
  const taken = new Set<string>();
  const newVolumes = new Map<string, number>();
  for (const state of view.claims) {
    switch (state.kind) {
      case 'missing':
      case 'immediate':
      case 'taken':
        break;
      case 'bound': {
        if (!canNodeReachVolume(state.volume, candidate.node)) {
          return { kind: 'no', why: "didn't match PersistentVolume's node affinity" };
        }
        const csi = state.volume.spec?.csi;
        if (csi !== undefined && candidate.volumesByDriver.get(csi.driver)?.has(csi.volumeHandle) !== true) {
          count(newVolumes, csi.driver);
        }
        break;
      }
      case 'delayed': {
        const binding = bindDelayed(view, state.claim, state.storageClass, candidate.node, taken);
        if (binding.kind === 'no') {
          return binding;
        }
        bindings.push(...binding.claims);
        for (const made of binding.claims) {
          const driver = driverOf(made, state.storageClass);
          if (candidate.volumesByDriver.get(driver)?.has(objectKey(made.claim)) !== true) {
            count(newVolumes, driver);
          }
        }
        break;
      }
    }
  }
  return driverRefusal(view, candidate, newVolumes) ?? { kind: 'fits', claims: bindings };
}

function bindDelayed(
  view: PodView,
  claim: PersistentVolumeClaim,
  storageClass: StorageClass,
  node: Node,
  taken: Set<string>,
): Fit {
  const selectedNode = claim.metadata.annotations?.[annotations.selectedNode] ?? '';
  if (selectedNode !== '' && selectedNode !== node.metadata.name) {
    return { kind: 'no', why: 'had a claim whose volume is being made for another node' };
  }
  const free = view.volumes.filter((volume) => !taken.has(volume.metadata.name));
  const volume = selectedNode === '' ? findVolume(claim, free, { node }) : undefined;
  if (volume !== undefined) {
    taken.add(volume.metadata.name);
    return { kind: 'fits', claims: [{ kind: 'reserve', claim, volume }] };
  }
  if (storageClass.provisioner === noProvisioner) {
    return { kind: 'no', why: "didn't find available persistent volumes to bind" };
  }
  if (!isNodeAllowedByClass(storageClass, node)) {
    return { kind: 'no', why: `didn't match the allowed topologies of storage class "${storageClass.metadata.name}"` };
  }
  if (!hasRoom(view.room, { claim, storageClass, node })) {
    return { kind: 'no', why: 'did not have enough free storage' };
  }
  return { kind: 'fits', claims: [{ kind: 'provision', claim }] };
}

/** A volume that is there may be another driver's than the one its class would ask. */
function driverOf(binding: ClaimBinding, storageClass: StorageClass): string {
  return (binding.kind === 'reserve' ? binding.volume.spec?.csi?.driver : undefined) ?? storageClass.provisioner;
}

/** A driver that the cluster knows must run on the node, and have room for what the pod adds. */
function driverRefusal(view: PodView, candidate: Candidate, newVolumes: ReadonlyMap<string, number>): Fit | undefined {
  for (const [driver, added] of newVolumes) {
    const entry = candidate.csiNode?.spec.drivers?.find(({ name }) => name === driver);
    if (entry === undefined) {
      if (view.drivers.has(driver)) {
        return { kind: 'no', why: `didn't have CSI driver "${driver}"` };
      }
      continue;
    }
    const limit = entry.allocatable?.count;
    const present = candidate.volumesByDriver.get(driver)?.size ?? 0;
    if (limit !== undefined && present + added > limit) {
      return { kind: 'no', why: 'exceed max volume count' };
    }
  }
  return undefined;
}

function nodeRefusal(pod: Pod, node: Node): string | undefined {
  const isReady = node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
  if (!isReady || node.metadata.deletionTimestamp !== undefined) {
    return 'were not ready';
  }
  if (node.spec?.unschedulable === true) {
    return 'were unschedulable';
  }
  const labels = node.metadata.labels ?? {};
  const selector = Object.entries(pod.spec?.nodeSelector ?? {});
  const affinity = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (!selector.every(([key, value]) => labels[key] === value) || !matchesNode(affinity, node)) {
    return "didn't match Pod's node affinity/selector";
  }
  const taint = node.spec?.taints?.find((candidate) => !isTolerated(candidate, pod));
  return taint === undefined ? undefined : `had untolerated taint {${taint.key}: ${taint.value ?? ''}}`;
}

type Taint = NonNullable<NonNullable<Node['spec']>['taints']>[number];

function isTolerated(taint: Taint, pod: Pod): boolean {
  const matches = (pod.spec?.tolerations ?? []).some(
    ({ effect = '', key = taint.key, operator, value = '' }) =>
      (effect === '' || effect === taint.effect) &&
      key === taint.key &&
      (operator === 'Exists' || value === (taint.value ?? '')),
  );
  return matches || taint.effect === 'PreferNoSchedule';
}

/**
 * The node that volumes were made for comes first. But when its choice was taken back from a claim (a provisioner does so when
 * it found no room there), it comes last.
 */
function preference({ preferredNode }: PodView, { candidate, claims }: FittingNode): number {
  if (candidate.node.metadata.name !== preferredNode) {
    return 0;
  }
  const isTakenBack = claims.some(
    ({ kind, claim }) => kind === 'provision' && (claim.metadata.annotations?.[annotations.selectedNode] ?? '') === '',
  );
  return isTakenBack ? -1 : 1;
}

function summary(nodeCount: number, refusals: ReadonlyMap<string, number>): string {
  const start = `0/${nodeCount} nodes are available`;
  const parts = [...refusals].map(([why, times]) => `${times} node(s) ${why}`).toSorted();
  return parts.length === 0 ? `${start}.` : `${start}: ${parts.join(', ')}.`;
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
