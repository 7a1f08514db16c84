import type { Store } from '@holdfast/control';
import type { CSINode, Node, PersistentVolume } from '@holdfast/kube';
import { pickSegments, type Segments, sortAndDeduplicate, type Term, termOf } from '../topology-terms.ts';

/**
 * The places that capacity is told of: each set of values that nodes with the driver have for its keys. Without keys the
 * whole cluster is one place, without labels.
 */
export function segmentsOfCluster(
  stores: { nodes: Store<Node>; csiNodes: Store<CSINode> },
  driverName: string,
): Term[] {
  const terms = stores.csiNodes.list().flatMap(({ metadata, spec }): Term[] => {
    const driver = spec?.drivers.find(({ name }) => name === driverName);
    if (!driver) return [];
    const labels = stores.nodes.get(metadata.name)?.metadata.labels ?? {};
    // A node that is not labelled yet is told of once it is.
    const segments = pickSegments(labels, driver.topologyKeys ?? []);
    return segments ? [termOf(segments)] : [];
  });
  return sortAndDeduplicate(terms);
}

export function fixedSegment(segments: Segments | undefined): Term[] {
  return [termOf(segments ?? {})];
}

/** The places a volume takes room in, where its affinity says so plainly. */
export function segmentsOfVolume(affinity: NonNullable<PersistentVolume['spec']>['nodeAffinity']): Term[] | undefined {
  const terms: Term[] = [];
  for (const { matchExpressions = [], matchFields = [] } of affinity?.required?.nodeSelectorTerms ?? []) {
    const segments: Record<string, string> = {};
    for (const { key, operator, values = [] } of matchExpressions) {
      const [value, ...more] = values;
      if (operator !== 'In' || value === undefined || more.length > 0) return undefined;
      segments[key] = value;
    }
    if (matchFields.length > 0) return undefined;
    terms.push(termOf(segments));
  }
  return terms.length === 0 ? undefined : terms;
}

/** A place and a class by one text, so that a queue knows the same pair again. */
export interface Pair {
  readonly className: string;
  readonly term: Term;
}

export function pairKey({ className, term }: Pair): string {
  return JSON.stringify([className, ...term.map(({ key, value }) => [key, value])]);
}
