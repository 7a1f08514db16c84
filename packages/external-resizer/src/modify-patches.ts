import type { Patch, PersistentVolumeClaim } from '@holdfast/kube';
import { recordedClass } from './decide-modify.ts';
import { conditions, modifyStatuses } from './names.ts';
import { conditionList, factPatch, removals, statusPatch, timestamp } from './status-patch.ts';

const MODIFY_CONDITIONS: readonly string[] = [conditions.modifyingVolume, conditions.modifyVolumeError];

/**
 * Says that the volume is being changed to a class. Written before each call that does not only go on with the last one: if
 * this process dies meanwhile, the next one knows that the outcome is unknown. What was said of another class goes.
 */
export function modifyStartPatch(claim: PersistentVolumeClaim, target: string, nowMs: number): Patch {
  const message = `Modifying volume to "${target}" is in progress.`;
  return statusPatch({
    claim,
    status: {
      modifyVolumeStatus: { status: modifyStatuses.inProgress, targetVolumeAttributesClassName: target },
      ...conditionList([
        condition(claim, { type: conditions.modifyingVolume, message }, nowMs),
        ...(recordedClass(claim) === target ? [] : removals(claim, [conditions.modifyVolumeError])),
      ]),
    },
  });
}

/** The change waits for its class. The class asked for last stays recorded. */
export function modifyPendingPatch(claim: PersistentVolumeClaim): Patch {
  return statusPatch({ claim, status: { modifyVolumeStatus: { status: modifyStatuses.pending } } });
}

/** The volume has the class. */
export function modifiedPatch(claim: PersistentVolumeClaim, className: string): Patch {
  return statusPatch({
    claim,
    status: {
      currentVolumeAttributesClassName: className,
      modifyVolumeStatus: null,
      ...conditionList(removals(claim, MODIFY_CONDITIONS)),
    },
  });
}

/** Nothing is under way any more. The error and the refused class stay, as the record of what was tried last. */
export function modifyCanceledPatch(claim: PersistentVolumeClaim): Patch {
  return statusPatch({ claim, status: conditionList(removals(claim, [conditions.modifyingVolume])) });
}

export interface ModifyFailure {
  readonly code: string;
  readonly message: string;
  readonly isFinal: boolean;
  readonly isInfeasible: boolean;
}

/** Shows a failure on the claim; undefined when the claim shows it already. */
export function modifyFailedPatch(
  claim: PersistentVolumeClaim,
  failure: ModifyFailure,
  nowMs: number,
): Patch | undefined {
  const outlook = failure.isFinal ? 'failed. Waiting for retry.' : 'is still in progress.';
  const progress = {
    type: conditions.modifyingVolume,
    message: `Modifying volume to "${recordedClass(claim)}" ${outlook}`,
  };
  const error = { type: conditions.modifyVolumeError, reason: failure.code, message: failure.message };
  const status = failure.isInfeasible ? modifyStatuses.infeasible : modifyStatuses.inProgress;
  const isMarked = claim.status?.modifyVolumeStatus?.status === status;
  if (isMarked && isShown(claim, progress) && isShown(claim, error)) return undefined;
  return factPatch(claim, {
    ...(isMarked ? {} : { modifyVolumeStatus: { status } }),
    ...conditionList([condition(claim, progress, nowMs), condition(claim, error, nowMs)]),
  });
}

interface Said {
  readonly type: string;
  readonly reason?: string;
  readonly message: string;
}

function isShown(claim: PersistentVolumeClaim, { type, reason, message }: Said): boolean {
  const shown = claim.status?.conditions?.find((each) => each.type === type);
  return shown?.status === 'True' && shown.reason === reason && shown.message === message;
}

/** A transition is a new status or reason; another message is none. */
function condition(claim: PersistentVolumeClaim, said: Said, nowMs: number): object {
  const shown = claim.status?.conditions?.find((each) => each.type === said.type);
  const now = timestamp(nowMs);
  const isTransition = shown?.status !== 'True' || shown.reason !== said.reason;
  return { ...said, status: 'True', lastProbeTime: now, ...(isTransition ? { lastTransitionTime: now } : {}) };
}
