import type { TopologyRequirement } from '@holdfast/csi-spec';
import type { StorageClass } from '@holdfast/kube';
import {
  flattenAllowed,
  isSubset,
  pickSegments,
  rotate,
  type Segments,
  segmentsOf,
  sortAndDeduplicate,
  spreadOffset,
  type Term,
  termOf,
} from './topology-terms.ts';

/** What is known of nodes and the keys the driver reports on them. Synchronous: it reads caches. */
export interface ClusterTopology {
  /** The driver's topology keys on a node; undefined when the node has no CSINode object. */
  keysOf(nodeName: string): readonly string[] | undefined;
  labelsOf(nodeName: string): Segments | undefined;
  /** The driver's keys on the first node that has any; empty when none has. */
  anyKeys(): readonly string[];
  /** The distinct places of all nodes that carry every key, sorted. */
  termsFor(keys: readonly string[]): readonly Term[];
}

export interface TopologyRules {
  readonly isStrict: boolean;
  /** Whether a claim without a selected node is told the cluster's places (`--immediate-topology`). */
  readonly isImmediateTopology: boolean;
}

export interface TopologyQuestion {
  readonly claimName: string;
  readonly selectedNode: string | undefined;
  readonly allowedTopologies: StorageClass['allowedTopologies'];
  readonly rules: TopologyRules;
  readonly cluster: ClusterTopology;
}

export type TopologyAnswer =
  | { readonly kind: 'anywhere' }
  | { readonly kind: 'required'; readonly requirement: TopologyRequirement }
  /** The scheduler's node is gone: it must choose again. */
  | { readonly kind: 'reschedule'; readonly reason: string }
  /** Nothing can be said yet, or the node does not fit; try again later. */
  | { readonly kind: 'unready'; readonly reason: string };

/** CreateVolume's accessibility requirement for one claim (CSI spec, TopologyRequirement). */
export function topologyRequirement(question: TopologyQuestion): TopologyAnswer {
  const allowed = sortAndDeduplicate(flattenAllowed(question.allowedTopologies ?? []));
  const hasAllowed = (question.allowedTopologies ?? []).length > 0;
  if (question.selectedNode !== undefined) return forSelectedNode(question, question.selectedNode, allowed, hasAllowed);

  if (!hasAllowed && !question.rules.isImmediateTopology) return { kind: 'anywhere' };
  const requisite = hasAllowed ? allowed : question.cluster.termsFor(question.cluster.anyKeys());
  if (requisite.length === 0) {
    if (hasAllowed) return { kind: 'anywhere' };
    return {
      kind: 'unready',
      reason: 'no node offers the topology keys of the driver: is its node plug-in running and registered?',
    };
  }
  return required(requisite, rotate(requisite, spreadOffset(question.claimName, requisite.length)));
}

function forSelectedNode(
  question: TopologyQuestion,
  node: string,
  allowed: readonly Term[],
  hasAllowed: boolean,
): TopologyAnswer {
  const { cluster, rules } = question;
  const keys = cluster.keysOf(node);
  if (keys === undefined)
    return { kind: 'reschedule', reason: `the selected node ${node} has no CSINode object any more` };
  if (keys.length === 0) {
    return {
      kind: 'unready',
      reason: `the driver reports no topology keys on the selected node ${node}: is its node plug-in registered there?`,
    };
  }
  const labels = cluster.labelsOf(node);
  if (labels === undefined) return { kind: 'unready', reason: `the selected node ${node} is not known` };
  const segments = pickSegments(labels, keys);
  if (segments === undefined) {
    const missing = keys.filter((key) => !(key in labels));
    return { kind: 'unready', reason: `the selected node ${node} lacks the topology label ${missing.join(', ')}` };
  }

  const outside: TopologyAnswer = {
    kind: 'unready',
    reason: `the selected node ${node} (${describe(segments)}) is outside the class's allowedTopologies`,
  };
  if (rules.isStrict) {
    if (hasAllowed && !allowed.some((term) => isSubset(term, segments))) return outside;
    return required([termOf(segments)], [termOf(segments)]);
  }
  const requisite = hasAllowed ? allowed : cluster.termsFor(keys);
  if (requisite.length === 0) return hasAllowed ? { kind: 'anywhere' } : outside;
  const start = requisite.findIndex((term) => isSubset(term, segments));
  return start === -1 ? outside : required(requisite, rotate(requisite, start));
}

function required(requisite: readonly Term[], preferred: readonly Term[]): TopologyAnswer {
  const asTopology = (term: Term) => ({ segments: segmentsOf(term) });
  return {
    kind: 'required',
    requirement: { requisite: requisite.map(asTopology), preferred: preferred.map(asTopology) },
  };
}

function describe(segments: Segments): string {
  return Object.entries(segments)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
}
