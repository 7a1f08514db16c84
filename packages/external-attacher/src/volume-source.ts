import type { PersistentVolume, VolumeAttachment } from '@holdfast/kube';
import { MigrationError, volumeToCsi } from '@holdfast/migration';
import type { DriverTraits } from './driver-traits.ts';

type VolumeSpec = NonNullable<PersistentVolume['spec']>;
type CsiSource = NonNullable<VolumeSpec['csi']>;

/** The volume behind a VolumeAttachment, or why there is none that can be used. */
export type VolumeSource =
  | {
      readonly kind: 'found';
      readonly spec: VolumeSpec;
      readonly csi: CsiSource;
      readonly volume?: PersistentVolume;
      /** The volume is one of an in-tree plug-in, and `spec` and `csi` are its translation. */
      readonly isMigrated: boolean;
    }
  | { readonly kind: 'unusable'; readonly message: string };

/** @param volume the PersistentVolume that `spec.source` names, if it exists */
export function volumeSource(
  attachment: VolumeAttachment,
  volume: PersistentVolume | undefined,
  driver: DriverTraits,
): VolumeSource {
  const { persistentVolumeName: name, inlineVolumeSpec: inline } = attachment.spec.source;
  if (name !== undefined && inline !== undefined) {
    return unusable('spec.source has both persistentVolumeName and inlineVolumeSpec: keep one of them');
  }
  if (inline !== undefined) return checked(inline, undefined, 'spec.source.inlineVolumeSpec', driver);
  if (name === undefined) {
    return unusable('spec.source has neither persistentVolumeName nor inlineVolumeSpec: set one of them');
  }
  if (volume === undefined) return unusable(`PersistentVolume "${name}" does not exist`);
  const { plugin } = driver;
  const where = `PersistentVolume "${name}"`;
  if (plugin === undefined || volume.spec?.[plugin.field] === undefined) {
    return checked(volume.spec ?? {}, volume, where, driver);
  }
  try {
    const { spec = {} } = volumeToCsi(plugin, volume);
    const source = checked(spec, volume, where, driver);
    return source.kind === 'found' ? { ...source, isMigrated: true } : source;
  } catch (error) {
    if (error instanceof MigrationError) return unusable(error.message);
    throw error;
  }
}

function checked(
  spec: VolumeSpec,
  volume: PersistentVolume | undefined,
  where: string,
  driver: DriverTraits,
): VolumeSource {
  const { csi } = spec;
  if (csi === undefined) {
    return unusable(
      `${where} has no csi source, and is of no in-tree plug-in whose place driver "${driver.driverName}" took`,
    );
  }
  if (csi.driver !== driver.driverName) {
    return unusable(`${where} belongs to driver "${csi.driver}", but spec.attacher is "${driver.driverName}"`);
  }
  if (csi.volumeHandle === undefined || csi.volumeHandle === '') {
    return unusable(`${where} has an empty csi.volumeHandle: set it to the driver's id of the volume`);
  }
  return { kind: 'found', spec, csi, isMigrated: false, ...(volume === undefined ? {} : { volume }) };
}

function unusable(message: string): VolumeSource {
  return { kind: 'unusable', message };
}
