import type { PersistentVolume } from '@holdfast/kube';
import { isOfPlugin } from '@holdfast/migration';
import type { DriverTraits } from './driver-traits.ts';
import { translated, volumeForDriver } from './in-tree.ts';
import { annotations, VOLUME_FINALIZER } from './names.ts';
import type { DeletionStage } from './volume-memory.ts';

/** All that a decision about a PersistentVolume depends on. */
export interface VolumeView {
  readonly volume: PersistentVolume | undefined;
  /** The nodes that VolumeAttachments of this volume name; empty when the driver attaches nothing. */
  readonly attachedNodes: readonly string[];
  /** What this process has already done to delete it. */
  readonly stage: DeletionStage | undefined;
  /** False for a volume that the provisioner of another node serves. */
  readonly isLocal?: boolean;
}

export type VolumeStep = { readonly reason: string } & (
  | { readonly kind: 'ignore' }
  /** The volume's object is gone: what was remembered of it goes. */
  | { readonly kind: 'forget' }
  | { readonly kind: 'protect'; readonly volume: PersistentVolume }
  | { readonly kind: 'unprotect'; readonly volume: PersistentVolume }
  /** Attached or bound still. The end of the last attachment, or of the claim, wakes us. */
  | { readonly kind: 'wait'; readonly awaited: 'attachments' | 'claim' }
  /** Our part of the deletion is done. */
  | { readonly kind: 'leaveToOthers' }
  | {
      readonly kind: 'delete';
      readonly volume: PersistentVolume;
      readonly volumeId: string;
      /** It is one of an in-tree plug-in. */
      readonly isMigrated: boolean;
    }
  /** The driver cannot be told which volume it is; the reason says why. */
  | { readonly kind: 'refuse'; readonly volume: PersistentVolume }
  | { readonly kind: 'removeObject'; readonly volume: PersistentVolume }
);

/** The next step for a volume. */
export function decideVolume(view: VolumeView, driver: DriverTraits): VolumeStep {
  const { volume } = view;
  if (!volume) return { kind: 'forget', reason: 'the volume is gone' };
  if (!isOurs(volume, driver.driverName)) return { kind: 'ignore', reason: 'the volume is of another provisioner' };
  if (view.isLocal === false) return { kind: 'ignore', reason: 'the volume is on another node' };

  const isProtected = volume.metadata.finalizers?.includes(VOLUME_FINALIZER) ?? false;
  const isDeleting = volume.metadata.deletionTimestamp !== undefined;
  const policy = volume.spec?.persistentVolumeReclaimPolicy ?? 'Retain';
  if (policy !== 'Delete') {
    if (isProtected)
      return {
        kind: 'unprotect',
        volume,
        reason: `reclaim policy ${policy}: nothing to delete before the object goes`,
      };
    return { kind: 'ignore', reason: `reclaim policy ${policy}` };
  }
  const phase = volume.status?.phase ?? 'Pending';
  if (phase === 'Released') return decideReleased(volume, view, driver, isDeleting && !isProtected);
  if (phase === 'Bound' && !isProtected && !isDeleting) {
    return {
      kind: 'protect',
      volume,
      reason: 'the object must outlive the volume, so that somebody knows to delete it',
    };
  }
  if (phase === 'Bound' && isDeleting) {
    return { kind: 'wait', awaited: 'claim', reason: 'deleted by hand while its claim is bound to it' };
  }
  return { kind: 'ignore', reason: `phase ${phase}` };
}

function decideReleased(volume: PersistentVolume, view: VolumeView, driver: DriverTraits, isDone: boolean): VolumeStep {
  if (isDone || view.stage === 'objectDeleted')
    return { kind: 'leaveToOthers', reason: 'deleted; others still hold the object' };
  if (view.stage === 'volumeDeleted')
    return { kind: 'removeObject', volume, reason: 'the driver has deleted the volume' };
  if (view.attachedNodes.length > 0)
    return { kind: 'wait', awaited: 'attachments', reason: `still attached to ${view.attachedNodes.join(', ')}` };
  const inCsi = translated(() => volumeForDriver(volume, driver));
  if ('refusal' in inCsi) return { kind: 'refuse', volume, reason: inCsi.refusal };
  const volumeId = inCsi.value.spec?.csi?.volumeHandle;
  if (!volumeId) return { kind: 'ignore', reason: 'the volume has no CSI handle' };
  const isMigrated = isOfPlugin(volume, driver.plugin);
  return { kind: 'delete', volume, volumeId, isMigrated, reason: 'released, with reclaim policy Delete' };
}

/**
 * Volumes we made, volumes of our driver that an administrator wrote by hand, and those of an in-tree plug-in that the cluster
 * has given to our driver; without that mark they are the plug-in's to delete.
 */
function isOurs(volume: PersistentVolume, driverName: string): boolean {
  const given = volume.metadata.annotations;
  const maker = given?.[annotations.provisionedBy];
  if (maker === driverName || given?.[annotations.migratedTo] === driverName) return true;
  return maker === undefined && volume.spec?.csi?.driver === driverName;
}
