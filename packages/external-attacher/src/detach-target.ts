import type { PersistentVolume, VolumeAttachment } from '@holdfast/kube';
import { type DetachRecord, detachRecord } from './detach-record.ts';
import type { DriverTraits } from './driver-traits.ts';
import { publishSecretRef } from './publish-request.ts';
import { volumeSource } from './volume-source.ts';

export type DetachTarget =
  | ({ readonly kind: 'known'; readonly isMigrated: boolean } & DetachRecord)
  | { readonly kind: 'unknown'; readonly message: string };

/**
 * What the driver is to unpublish. The volume itself says so while it is there; without it the record does
 * (kubernetes-csi/external-attacher#235). The record also counts where a volume of the same name has another handle: it
 * was made since, and is not the one that was published.
 */
export function detachTarget(
  attachment: VolumeAttachment,
  volume: PersistentVolume | undefined,
  driver: DriverTraits,
): DetachTarget {
  const source = volumeSource(attachment, volume, driver);
  const record = detachRecord(attachment);
  const handle = source.kind === 'found' ? source.csi.volumeHandle : undefined;
  if (record !== undefined && record.volumeId !== handle) return { kind: 'known', isMigrated: false, ...record };
  if (source.kind === 'unusable') return { kind: 'unknown', message: source.message };
  const secretRef = publishSecretRef(source);
  return {
    kind: 'known',
    isMigrated: source.isMigrated,
    volumeId: source.csi.volumeHandle,
    ...(secretRef === undefined ? {} : { secretRef }),
  };
}
