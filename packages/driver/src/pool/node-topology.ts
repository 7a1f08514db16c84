import type { Backend, Segments } from '@holdfast/driver-kit';
import { topologyKey } from '../names.ts';
import type { NodeRegistry } from './node-registry.ts';

/**
 * A volume lies where its pool is: on the nodes that serve it, which a controller's own need not be. Where it is one, it comes
 * first, for a claim that leaves the choice to us.
 */
export function nodeTopology(nodeId: string, nodes: NodeRegistry): NonNullable<Backend['topology']> {
  const own: Segments = { [topologyKey]: nodeId };
  return {
    own,
    placements: async () => {
      const serving = await nodes.nodeIds();
      const ordered = [...serving.filter((id) => id === nodeId), ...serving.filter((id) => id !== nodeId)];
      return ordered.map((id) => ({ [topologyKey]: id }));
    },
  };
}
