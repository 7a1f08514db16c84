export const topologyKey = 'topology.csi.holdfast/node';

export const backendNames = ['disk', 'dir'] as const;
export type BackendName = (typeof backendNames)[number];

export function defaultDriverName(backend: BackendName): string {
  return `${backend}.csi.holdfast`;
}
