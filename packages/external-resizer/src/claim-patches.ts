import type { Patch, PersistentVolumeClaim } from '@holdfast/kube';
import { hasCondition } from './decide.ts';
import { annotations, conditions, resizeConditions, resourceStatuses } from './names.ts';
import { conditionList, factPatch, removals, statusPatch, timestamp } from './status-patch.ts';
import type { Size } from './target-size.ts';

/** Says that an expansion to `target` is under way. Undefined when the claim says so already. */
export function startPatch(
  claim: PersistentVolumeClaim,
  change: { target: Size; isNewTarget: boolean; nowMs: number },
): Patch | undefined {
  const { target, isNewTarget, nowMs } = change;
  const isAnnotated = claim.metadata.annotations?.[annotations.nodeExpansionNotRequired] !== undefined;
  const isResizing = hasCondition(claim, conditions.resizing);
  if (!isNewTarget && !isAnnotated && isResizing) return undefined;
  const others = resizeConditions.filter((type) => type !== conditions.resizing);
  return statusPatch({
    claim,
    annotations: isAnnotated ? { [annotations.nodeExpansionNotRequired]: null } : {},
    status: {
      ...(isNewTarget ? resources(target.text, resourceStatuses.controllerInProgress) : {}),
      ...conditionList([
        ...(isResizing ? [] : [condition(conditions.resizing, nowMs)]),
        ...(isNewTarget ? removals(claim, others) : []),
      ]),
    },
  });
}

/** The volume has grown; the node still has to. */
export function nodePendingPatch(claim: PersistentVolumeClaim, nowMs: number): Patch {
  const message = 'Waiting for user to (re-)start a pod to finish file system resize of volume on node.';
  return statusPatch({
    claim,
    status: {
      allocatedResourceStatuses: { storage: resourceStatuses.nodePending },
      ...conditionList([
        condition(conditions.fileSystemResizePending, nowMs, message),
        // `Resizing` stays until kubelet is done; an error that has been overcome does not.
        ...removals(claim, [conditions.controllerResizeError]),
      ]),
    },
  });
}

/** The claim has its new size. */
export function finishedPatch(claim: PersistentVolumeClaim, newSize: string): Patch {
  return statusPatch({
    claim,
    annotations: { [annotations.nodeExpansionNotRequired]: 'true' },
    status: {
      capacity: { storage: newSize },
      allocatedResourceStatuses: { storage: null },
      ...conditionList(removals(claim, resizeConditions)),
    },
  });
}

/** Shows a failure on the claim; undefined when the claim shows it already. */
export function failedPatch(
  claim: PersistentVolumeClaim,
  failure: { message: string; isInfeasible: boolean; nowMs: number },
): Patch | undefined {
  const { conditions: shown = [], allocatedResourceStatuses } = claim.status ?? {};
  const text = `failed to expand pvc with ${failure.message}`;
  const isShown = shown.some((each) => each.type === conditions.controllerResizeError && each.message === text);
  const isMarked = allocatedResourceStatuses?.storage === resourceStatuses.controllerInfeasible;
  if (isShown && (isMarked || !failure.isInfeasible)) return undefined;
  const status = {
    ...(failure.isInfeasible ? { allocatedResourceStatuses: { storage: resourceStatuses.controllerInfeasible } } : {}),
    ...conditionList([condition(conditions.controllerResizeError, failure.nowMs, text)]),
  };
  return factPatch(claim, status);
}

function resources(storage: string, status: string): object {
  return { allocatedResources: { storage }, allocatedResourceStatuses: { storage: status } };
}

function condition(type: string, nowMs: number, message = ''): object {
  return { type, status: 'True', message, lastTransitionTime: timestamp(nowMs) };
}
