import { compareQuantities, parseQuantity } from '@holdfast/core';
import type { PersistentVolume, PersistentVolumeClaim } from '@holdfast/kube';
import { nodeExpansionNotRequired } from '../names.ts';

const resizeConditions = new Set(['Resizing', 'FileSystemResizePending', 'ControllerResizeError', 'NodeResizeError']);

/** The size to grow the file system to, as the volume states it; undefined when there is nothing for this node to do. */
export function expansionDue(
  claim: PersistentVolumeClaim | undefined,
  volume: PersistentVolume | undefined,
): string | undefined {
  const target = volume?.spec?.capacity?.['storage'];
  if (claim === undefined || target === undefined || !isSmaller(claim, target)) {
    return undefined;
  }
  if (claim.metadata.annotations?.[nodeExpansionNotRequired] === 'true') {
    return undefined;
  }
  const status = claim.status?.allocatedResourceStatuses?.['storage'] ?? '';
  // While the resizer is still at it, or after a size was found to be impossible, the turn is not ours.
  return status === '' || status === 'NodeResizePending' || status === 'NodeResizeInProgress' ? target : undefined;
}

function isSmaller(claim: PersistentVolumeClaim, target: string): boolean {
  const present = claim.status?.phase === 'Bound' ? claim.status.capacity?.['storage'] : undefined;
  return present !== undefined && compareQuantities(parseQuantity(target), parseQuantity(present)) > 0;
}

type ClaimStatus = NonNullable<PersistentVolumeClaim['status']>;
type Condition = NonNullable<ClaimStatus['conditions']>[number];

export type ExpansionResult =
  | { readonly kind: 'started' }
  | { readonly kind: 'grown'; readonly capacity: string }
  | { readonly kind: 'infeasible' | 'refusedInUse'; readonly message: string; readonly nowMs: number };

/** The status to merge into the claim after a step of the expansion. */
export function expansionStatus(claim: PersistentVolumeClaim, result: ExpansionResult): object {
  const conditions: readonly Condition[] = claim.status?.conditions ?? [];
  const others = conditions.filter(({ type }) => !resizeConditions.has(type));
  switch (result.kind) {
    case 'started':
      return { allocatedResourceStatuses: { storage: 'NodeResizeInProgress' } };
    case 'grown':
      return {
        capacity: { storage: result.capacity },
        conditions: others.length === 0 ? null : others,
        allocatedResourceStatuses: null,
      };
    case 'refusedInUse':
      return { conditions: withError(conditions, result), allocatedResourceStatuses: { storage: 'NodeResizePending' } };
    case 'infeasible':
      return {
        conditions: withError(conditions, result),
        allocatedResourceStatuses: { storage: 'NodeResizeInfeasible' },
      };
    default:
      return result satisfies never;
  }
}

function withError(
  conditions: readonly Condition[],
  { message, nowMs }: { message: string; nowMs: number },
): Condition[] {
  return [
    ...conditions.filter(({ type }) => type !== 'NodeResizeError'),
    { type: 'NodeResizeError', status: 'True', message, lastTransitionTime: new Date(nowMs).toISOString() },
  ];
}
