import type { PersistentVolume, PersistentVolumeClaim, Pod } from '@holdfast/kube';
import { claimProtectionFinalizer, volumeProtectionFinalizer } from '../names.ts';

export type ProtectionStep = 'none' | 'protect' | 'release';

/**
 * @param podsUsingClaim every pod that names the claim. Only scheduled ones count: kubelet does not start a pod whose claim
 * is being deleted, so a pod without a node can never come to use it.
 */
export function decideClaimProtection(claim: PersistentVolumeClaim, podsUsingClaim: readonly Pod[]): ProtectionStep {
  const isInUse = podsUsingClaim.some((pod) => (pod.spec?.nodeName ?? '') !== '');
  return decide(claim, claimProtectionFinalizer, isInUse);
}

export function decideVolumeProtection(volume: PersistentVolume): ProtectionStep {
  return decide(volume, volumeProtectionFinalizer, volume.status?.phase === 'Bound');
}

function decide(
  { metadata }: PersistentVolumeClaim | PersistentVolume,
  finalizer: string,
  isInUse: boolean,
): ProtectionStep {
  const isProtected = metadata.finalizers?.includes(finalizer) === true;
  if (metadata.deletionTimestamp === undefined) {
    return isProtected ? 'none' : 'protect';
  }
  return isProtected && !isInUse ? 'release' : 'none';
}
