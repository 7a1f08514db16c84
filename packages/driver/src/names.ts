export const topologyKey = 'topology.csi.holdfast/node';
/** In place of the node's own, where all nodes of a zone reach the pool. */
export const zoneTopologyKey = 'topology.csi.holdfast/zone';
export const backendNames = ['disk', 'dir'] as const;
export type BackendName = (typeof backendNames)[number];

export function defaultDriverName(backend: BackendName): string {
  return `${backend}.csi.holdfast`;
}
