import type { Backend, Segments } from '@holdfast/driver-kit';
import { topologyKey, zoneTopologyKey } from '../names.ts';
import type { NodeRegistry } from './node-registry.ts';

/**
 * A volume lies where its pool is: on the nodes that serve it, or in their zones, which a controller's own need not be among. Where it
 * is, it comes first, for a claim that leaves the choice to us.
 */
export function nodeTopology(
  node: { readonly nodeId: string; readonly zone: string },
  nodes: NodeRegistry,
): NonNullable<Backend['topology']> {
  const own: Segments = node.zone === '' ? { [topologyKey]: node.nodeId } : { [zoneTopologyKey]: node.zone };
  return {
    own,
    placements: async () => {
      const serving = distinct((await nodes.list()).map(({ segments }) => segments));
      const isOwn = (segments: Segments): boolean => keyOf(segments) === keyOf(own);
      return [...serving.filter(isOwn), ...serving.filter((segments) => !isOwn(segments))];
    },
  };
}

function distinct(all: readonly Segments[]): Segments[] {
  return [...new Map(all.map((segments) => [keyOf(segments), segments])).values()];
}

function keyOf(segments: Segments): string {
  return Object.entries(segments)
    .map((segment) => segment.join('='))
    .toSorted()
    .join();
}
