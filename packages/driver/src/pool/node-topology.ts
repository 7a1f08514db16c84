import type { Backend, Segments } from '@holdfast/driver-kit';
import { topologyKey } from '../names.ts';
import type { NodeRegistry } from './node-registry.ts';

/** A volume lies where its pool is: on the nodes that serve it. Our own comes first, for a claim that leaves the choice to us. */
export function nodeTopology(nodeId: string, nodes: NodeRegistry): NonNullable<Backend['topology']> {
  const own: Segments = { [topologyKey]: nodeId };
  return {
    own,
    placements: async () => {
      const others = (await nodes.nodeIds()).filter((id) => id !== nodeId);
      return [own, ...others.map((id) => ({ [topologyKey]: id }))];
    },
  };
}
