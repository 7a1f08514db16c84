import type { Store } from '@holdfast/control';
import type { CSINode, Node } from '@holdfast/kube';
import type { ClusterTopology } from './topology.ts';
import { pickSegments, sortAndDeduplicate, type Term, termOf } from './topology-terms.ts';

/**
 * Reads nodes' places from the stores. What is aggregated over all nodes is kept until a node or what the driver
 * reports on one changes, so a thousand claims do not walk a thousand nodes each.
 */
export function createClusterTopology(deps: {
  driverName: string;
  nodes: Store<Node>;
  csiNodes: Store<CSINode>;
}): ClusterTopology {
  const { driverName, nodes, csiNodes } = deps;
  const termsByKeys = new Map<string, readonly Term[]>();
  let anyKeys: readonly string[] | undefined;

  nodes.subscribe((change) => {
    if (change.kind === 'updated' && hasSameLabels(change.old, change.object)) return;
    termsByKeys.clear();
  });
  csiNodes.subscribe(() => {
    anyKeys = undefined;
  });

  function keysOf(csiNode: CSINode): readonly string[] {
    return csiNode.spec?.drivers.find((driver) => driver.name === driverName)?.topologyKeys ?? [];
  }

  return {
    keysOf(nodeName) {
      const csiNode = csiNodes.get(nodeName);
      return csiNode && keysOf(csiNode);
    },
    labelsOf: (nodeName) => {
      const node = nodes.get(nodeName);
      return node && (node.metadata.labels ?? {});
    },
    anyKeys() {
      if (anyKeys) return anyKeys;
      // Always the node that sorts first, where upstream draws one: while keys change, claims then agree with each
      // other.
      let first: CSINode | undefined;
      for (const csiNode of csiNodes.list()) {
        if (keysOf(csiNode).length > 0 && (!first || csiNode.metadata.name < first.metadata.name)) first = csiNode;
      }
      anyKeys = first ? keysOf(first) : [];
      return anyKeys;
    },
    termsFor(keys) {
      if (keys.length === 0) return [];
      const cacheKey = [...keys].sort().join('\n');
      const known = termsByKeys.get(cacheKey);
      if (known) return known;
      const terms = nodes.list().flatMap((node) => {
        const segments = pickSegments(node.metadata.labels ?? {}, keys);
        return segments ? [termOf(segments)] : [];
      });
      const distinct = sortAndDeduplicate(terms);
      termsByKeys.set(cacheKey, distinct);
      return distinct;
    },
  };
}

function hasSameLabels(a: Node, b: Node): boolean {
  const before = a.metadata.labels ?? {};
  const after = b.metadata.labels ?? {};
  const keys = Object.keys(before);
  return keys.length === Object.keys(after).length && keys.every((key) => before[key] === after[key]);
}
