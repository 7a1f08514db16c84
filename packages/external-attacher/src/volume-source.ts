import type { PersistentVolume, VolumeAttachment } from '@holdfast/kube';
import type { DriverTraits } from './driver-traits.ts';

type VolumeSpec = NonNullable<PersistentVolume['spec']>;
type CsiSource = NonNullable<VolumeSpec['csi']>;

/** The volume behind a VolumeAttachment, or why there is none that can be used. */
export type VolumeSource =
  | { readonly kind: 'found'; readonly spec: VolumeSpec; readonly csi: CsiSource; readonly volume?: PersistentVolume }
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
  return checked(volume.spec ?? {}, volume, `PersistentVolume "${name}"`, driver);
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
      `${where} has no csi source: in-tree volumes that migrate to CSI are not supported by this attacher`,
    );
  }
  if (csi.driver !== driver.driverName) {
    return unusable(`${where} belongs to driver "${csi.driver}", but spec.attacher is "${driver.driverName}"`);
  }
  if (csi.volumeHandle === undefined || csi.volumeHandle === '') {
    return unusable(`${where} has an empty csi.volumeHandle: set it to the driver's id of the volume`);
  }
  return { kind: 'found', spec, csi, ...(volume === undefined ? {} : { volume }) };
}

function unusable(message: string): VolumeSource {
  return { kind: 'unusable', message };
}
