import { compareQuantities, parseQuantity } from '@holdfast/core';
import type { PersistentVolume, PersistentVolumeClaim } from '@holdfast/kube';
import { pluginOfSpec } from '@holdfast/migration';

/** Whether a claim asks for more than it has from a volume that only its CSI resizer can grow. */
export function isWaitingForResizer(claim: PersistentVolumeClaim, volume: PersistentVolume | undefined): boolean {
  const request = claim.spec?.resources?.requests?.['storage'];
  const capacity = claim.status?.capacity?.['storage'];
  return (
    claim.status?.phase === 'Bound' &&
    request !== undefined &&
    capacity !== undefined &&
    compareQuantities(parseQuantity(request), parseQuantity(capacity)) > 0 &&
    (volume?.spec?.csi !== undefined || pluginOfSpec(volume?.spec) !== undefined) &&
    volume?.spec?.claimRef?.uid === claim.metadata.uid
  );
}
