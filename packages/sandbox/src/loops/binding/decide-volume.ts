import type { PersistentVolume, PersistentVolumeClaim } from '@holdfast/kube';
import { annotations } from '../names.ts';

export type VolumePhase = 'Available' | 'Bound' | 'Released' | 'Failed';

export type VolumeStep =
  | { readonly kind: 'none' }
  | { readonly kind: 'setPhase'; readonly phase: VolumePhase }
  /** The claim chose another volume: give this one back, wholly or still reserved for a claim of that name. */
  | { readonly kind: 'unbind'; readonly keepsReservation: boolean };

/**
 * What a volume needs next.
 * @param claim what `spec.claimRef` names now, whatever its uid; undefined when there is none
 */
export function decideVolume(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined): VolumeStep {
  const ref = volume.spec?.claimRef;
  if (ref === undefined) {
    return toPhase(volume, 'Available');
  }
  if (ref.uid === undefined || ref.uid === '') {
    return toPhase(volume, 'Available');
  }
  // A claim of the same name made anew is another claim: the volume's own is gone.
  if (claim === undefined || claim.metadata.uid !== ref.uid) {
    return volume.status?.phase === 'Failed' ? { kind: 'none' } : toPhase(volume, 'Released');
  }
  const taken = claim.spec?.volumeName ?? '';
  if (taken === '') {
    // Half a bond: the claim's loop, which watches volumes, finishes it.
    return { kind: 'none' };
  }
  if (taken === volume.metadata.name) {
    return toPhase(volume, 'Bound');
  }
  const isProvisioned = volume.metadata.annotations?.[annotations.provisionedBy] !== undefined;
  if (isProvisioned && volume.spec?.persistentVolumeReclaimPolicy === 'Delete') {
    // The claim was bound elsewhere while this volume was made: it holds nobody's data, so it goes the way of released ones.
    return toPhase(volume, 'Released');
  }
  const isReservedByUser = volume.metadata.annotations?.[annotations.boundByController] === undefined;
  return { kind: 'unbind', keepsReservation: isReservedByUser };
}

function toPhase(volume: PersistentVolume, phase: VolumePhase): VolumeStep {
  return volume.status?.phase === phase ? { kind: 'none' } : { kind: 'setPhase', phase };
}
