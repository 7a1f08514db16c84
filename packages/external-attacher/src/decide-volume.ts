import type { PersistentVolume, VolumeAttachment } from '@holdfast/kube';
import { hasFinalizer } from './decide.ts';
import type { DriverTraits } from './driver-traits.ts';
import { annotations } from './names.ts';

/** All that a decision about a PersistentVolume depends on. */
export interface VolumeView {
  readonly volume: PersistentVolume;
  /** Every VolumeAttachment of the volume, of any driver and in any state. */
  readonly attachments: readonly VolumeAttachment[];
}

export type VolumeStep = { readonly reason: string } & (
  | { readonly kind: 'ignore' }
  /** Attached or being detached. The end of the last VolumeAttachment wakes us. */
  | { readonly kind: 'wait' }
  /** Our finalizer has nothing left to guard. */
  | { readonly kind: 'release'; readonly volume: PersistentVolume }
);

/** The next step for a volume. */
export function decideVolume({ volume, attachments }: VolumeView, driver: DriverTraits): VolumeStep {
  const { metadata, spec } = volume;
  if (!hasFinalizer(volume, driver)) return { kind: 'ignore', reason: 'the volume does not have our finalizer' };
  const isDeleted = metadata.deletionTimestamp !== undefined;
  const isMigrated = metadata.annotations?.[annotations.migratedTo] === driver.driverName;
  const isRolledBack = spec?.csi === undefined && !isMigrated;
  if (!isDeleted && !isRolledBack) return { kind: 'ignore', reason: 'the volume is in use' };
  const [attachment] = attachments;
  if (attachment !== undefined) {
    return { kind: 'wait', reason: `VolumeAttachment "${attachment.metadata.name}" refers to the volume` };
  }
  return { kind: 'release', volume, reason: 'no VolumeAttachment refers to the volume' };
}
