import { meetsRequirement, type PersistentVolume } from '@holdfast/kube';
import type { ClusterTopology } from './topology.ts';
import { isSubset, type Segments, termOf } from './topology-terms.ts';

/** What a provisioner is that runs beside the driver of one node (`--node-deployment`) and serves that node alone. */
export interface NodeRole {
  readonly nodeName: string;
  /** From NodeGetInfo; undefined when the driver says nothing of places. */
  readonly segments: Segments | undefined;
  /** Whether it takes claims for which nobody has chosen a node. */
  readonly isImmediateBinding: boolean;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
}

/** The node is the whole cluster: nodes need not be watched, and what the driver said of itself is the truth. */
export function nodeTopology({ nodeName, segments = {} }: NodeRole): ClusterTopology {
  const keys = Object.keys(segments);
  return {
    keysOf: (name) => (name === nodeName ? keys : undefined),
    labelsOf: (name) => (name === nodeName ? segments : undefined),
    anyKeys: () => keys,
    termsFor: (wanted) => (wanted.length > 0 && wanted.every((key) => key in segments) ? [termOf(segments)] : []),
  };
}

/** Whether a class's allowedTopologies leave room for the node. */
export function isAllowed(terms: readonly Parameters<typeof isSubset>[0][], { segments }: NodeRole): boolean {
  return terms.length === 0 || segments === undefined || terms.some((term) => isSubset(term, segments));
}

/** Whether a volume can be reached from the node, as the scheduler would say by the volume's affinity. */
export function isLocal(volume: PersistentVolume, { segments }: NodeRole): boolean {
  const required = volume.spec?.nodeAffinity?.required;
  if (segments === undefined || !required) return true;
  return required.nodeSelectorTerms.some(({ matchExpressions = [], matchFields = [] }) => {
    if (matchExpressions.length === 0 && matchFields.length === 0) return false;
    return matchFields.length === 0 && matchExpressions.every((one) => meetsRequirement(one, segments[one.key]));
  });
}
