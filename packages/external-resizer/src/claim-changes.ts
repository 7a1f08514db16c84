import { isDeepStrictEqual } from 'node:util';
import type { StoreChange } from '@holdfast/control';
import type { PersistentVolume, PersistentVolumeClaim } from '@holdfast/kube';
import { wantedClass } from './decide-modify.ts';
import { annotations, resourceStatuses } from './names.ts';

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
  const { object, old } = change;
  // Labels are kept where the translation of an in-tree volume needs them.
  return object.spec?.claimRef?.uid !== old.spec?.claimRef?.uid || !isDeepStrictEqual(labelsOf(object), labelsOf(old));
}

/** What users, the binder and kubelet change, as one text to compare. */
function resizePart({ metadata, spec, status }: PersistentVolumeClaim): string {
  const resizer = metadata.annotations?.[annotations.storageResizer];
  return [resizer, spec?.volumeName, spec?.resources?.requests?.storage, status?.phase, status?.capacity?.storage].join(
    ' ',
  );
}

function modifyPart(claim: PersistentVolumeClaim): string {
  return [claim.spec?.volumeName, claim.status?.phase, wantedClass(claim)].join(' ');
}

function statusOf({ status }: PersistentVolumeClaim): string {
  return status?.allocatedResourceStatuses?.storage ?? '';
}

function labelsOf({ metadata }: PersistentVolume): unknown {
  return metadata.labels;
}
