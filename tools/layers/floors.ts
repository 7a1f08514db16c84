// The house of docs/architecture.md: arrows point one way. A package may import packages of lower floors, and of its own
// floor only those listed here.

export const floors: readonly (readonly string[])[] = [
  ['csi-spec'],
  ['core', 'rpc', 'kube', 'control', 'sidecar', 'migration'],
  [
    'external-provisioner',
    'external-attacher',
    'external-resizer',
    'node-driver-registrar',
    'livenessprobe',
    'mount',
    'driver-kit',
    'driver',
  ],
  ['sandbox', 'holdfast'],
];

export const neighbours: Readonly<Record<string, readonly string[]>> = {
  rpc: ['core'],
  kube: ['core'],
  control: ['core', 'kube'],
  migration: ['kube'],
  sidecar: ['core', 'rpc', 'kube', 'control'],
  driver: ['mount', 'driver-kit'],
  holdfast: ['sandbox'],
};

export function floorOf(name: string): number | undefined {
  const floor = floors.findIndex((names) => names.includes(name));
  return floor === -1 ? undefined : floor;
}

export function mayImport(from: string, to: string): boolean {
  const fromFloor = floorOf(from);
  const toFloor = floorOf(to);
  if (fromFloor === undefined || toFloor === undefined) return false;
  return toFloor < fromFloor || (neighbours[from] ?? []).includes(to);
}
