import type { Draft, PersistentVolume, Pod, StorageClass } from '@holdfast/kube';
import type * as z from 'zod';

export type VolumeSpec = NonNullable<PersistentVolume['spec']>;
export type CsiSource = NonNullable<VolumeSpec['csi']>;
export type InlineVolume = NonNullable<NonNullable<Pod['spec']>['volumes']>[number];
export type TopologyTerms = NonNullable<StorageClass['allowedTopologies']>;
export type VolumeDraft = Draft<PersistentVolume>;

/** Where a PersistentVolume's spec, and a pod's volume, hold the source of an in-tree plug-in. */
export type SourceField =
  | 'awsElasticBlockStore'
  | 'azureDisk'
  | 'azureFile'
  | 'cinder'
  | 'gcePersistentDisk'
  | 'portworxVolume'
  | 'vsphereVolume';

/** What of a PersistentVolume a translation reads and may change. */
export interface VolumeParts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: VolumeSpec;
}

/** What of a StorageClass a translation reads and may change. */
export interface ClassParts {
  readonly parameters: Readonly<Record<string, string>>;
  readonly allowedTopologies: TopologyTerms | undefined;
}

/** One in-tree plug-in and the CSI driver that took its place. */
export interface InTreePlugin {
  readonly inTreeName: string;
  readonly driverName: string;
  readonly field: SourceField;
  /** What of a volume `toCsi` reads beside its name and spec. */
  readonly readsLabels: boolean;
  readonly readsAnnotations: readonly string[];
  /** @throws MigrationError */
  toCsi(volume: VolumeParts): VolumeParts;
  /** @throws MigrationError */
  toInTree(volume: VolumeParts): VolumeParts;
  /** @throws MigrationError */
  classToCsi(storageClass: ClassParts): ClassParts;
  /**
   * A volume that stands in a pod, as the PersistentVolume it would be.
   * @throws MigrationError
   */
  inlineToCsi(volume: InlineVolume, podNamespace: string): VolumeDraft;
  /**
   * The handle as the driver lists it; what a translation could not know is taken from the id of the node.
   * @throws MigrationError
   */
  repairHandle?(volumeHandle: string, nodeId: string): string;
}

/** An object of an in-tree plug-in that has no counterpart in CSI, or one that has none in the plug-in. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** @throws MigrationError */
export function readSource<S extends z.ZodType>(schema: S, field: SourceField, source: unknown): z.output<S> {
  const parsed = schema.safeParse(source);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = [field, ...(issue?.path ?? [])].join('.');
  throw new MigrationError(`${path} is not as the in-tree plug-in has it: ${issue?.message ?? 'invalid'}`);
}

/** The spec with another source. */
export function withSource(spec: VolumeSpec, field: SourceField, csi: CsiSource): VolumeSpec {
  const { [field]: _, ...rest } = spec;
  return { ...rest, csi };
}

/**
 * The CSI source of a volume that goes back to its plug-in.
 * @throws MigrationError
 */
export function csiOf({ name, spec }: VolumeParts): CsiSource {
  if (spec.csi === undefined) throw new MigrationError(`PersistentVolume "${name}" has no csi source`);
  return spec.csi;
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Go leaves out of its JSON what is empty, and so do we: `readOnly: false` and `fsType: ""` are not there. */
export function whenSet<T extends object>(fields: T): Given<T> {
  const set: Given<T> = {};
  for (const key in fields) {
    const value = fields[key];
    if (isSet(value)) set[key] = value;
  }
  return set;
}

function isSet<V>(value: V): value is Exclude<V, undefined> {
  return value !== undefined && value !== false && value !== '' && value !== 0;
}
