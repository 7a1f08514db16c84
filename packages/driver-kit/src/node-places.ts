/** Places on nodes that are taken by attachments under way: a backend's own count does not have them yet, or has them already. */
export interface NodePlaces {
  take(nodeId: string): () => void;
  /** How many are taken, and what resolves when one of these is given back. */
  taken(nodeId: string): { readonly count: number; readonly next: Promise<void> };
}

export function createNodePlaces(): NodePlaces {
  const places = new Map<string, Set<Promise<void>>>();
  return {
    take(nodeId) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const ofNode = places.get(nodeId) ?? new Set();
      places.set(nodeId, ofNode.add(promise));
      return () => {
        ofNode.delete(promise);
        if (ofNode.size === 0) places.delete(nodeId);
        resolve();
      };
    },
    taken(nodeId) {
      const ofNode = places.get(nodeId);
      return { count: ofNode?.size ?? 0, next: ofNode === undefined ? Promise.resolve() : Promise.race(ofNode) };
    },
  };
}
