import type { StoreChange } from '@holdfast/control';
import type { PersistentVolume, PersistentVolumeClaim } from '@holdfast/kube';
import { wantedClass } from './decide-modify.ts';
import { resourceStatuses } from './names.ts';

/*
 * Which change of a claim calls for a look at once, past its back-off. What we write ourselves does not: each failure that
 * we show on the claim would be retried without a pause.
 */

export type ClaimChange = StoreChange<PersistentVolumeClaim>;

export function isWorthResizing(change: ClaimChange): boolean {
  if (change.kind !== 'updated') return true;
  if (resizePart(change.object) !== resizePart(change.old)) return true;
  const status = statusOf(change.object);
  return status !== statusOf(change.old) && (status === '' || status === resourceStatuses.nodeInfeasible);
}

export function isWorthModifying(change: ClaimChange): boolean {
  return change.kind !== 'updated' || modifyPart(change.object) !== modifyPart(change.old);
}

/** Whether a volume's change is one that its claim may have waited for. */
export function isWorthClaims(change: StoreChange<PersistentVolume>): boolean {
  if (change.kind !== 'updated') return change.kind === 'added';
  return change.object.spec?.claimRef?.uid !== change.old.spec?.claimRef?.uid;
}

/** What users, the binder and kubelet change, as one text to compare. */
function resizePart({ spec, status }: PersistentVolumeClaim): string {
  return [spec?.volumeName, spec?.resources?.requests?.storage, status?.phase, status?.capacity?.storage].join(' ');
}

function modifyPart(claim: PersistentVolumeClaim): string {
  return [claim.spec?.volumeName, claim.status?.phase, wantedClass(claim)].join(' ');
}

function statusOf({ status }: PersistentVolumeClaim): string {
  return status?.allocatedResourceStatuses?.storage ?? '';
}
