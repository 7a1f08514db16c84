import { parseBytes, QuantityError } from '@holdfast/core';
import type { PersistentVolume, PersistentVolumeClaim } from '@holdfast/kube';
import { annotations, conditions, resourceStatuses } from './names.ts';
import { chooseTarget, type Size } from './target-size.ts';

/** What is known of a claim and its volume. */
export interface Seen {
  readonly claim: PersistentVolumeClaim | undefined;
  /** The volume that the claim names. */
  readonly volume: PersistentVolume | undefined;
  readonly memory: ClaimMemory;
  /** A pod that uses the claim and has not ended; only looked for once the driver has refused. */
  readonly usingPod: string | undefined;
  readonly nowMs: number;
}

/** What only this process knows. Losing it costs a call, never correctness. */
export interface ClaimMemory {
  /** The last expansion failed for good: nothing of it is under way in the driver. */
  readonly hasFinalError: boolean;
  /** The driver refused because the volume is in use. */
  readonly isRefusedInUse: boolean;
  /** Until when (monotonic) a size that the driver called impossible is not asked for again. */
  readonly restUntilMs: number;
}

export interface ResizeRules {
  readonly driverName: string;
  /** The driver expands on the node alone: there is nothing to call here. */
  readonly isNodeOnly: boolean;
  /** Gate AnnotateFsResize. */
  readonly isPreResizeCapacityCleared: boolean;
}

export type Step =
  | { readonly kind: 'nothing'; readonly why: string }
  /** The claim is gone: drop what is remembered of it. */
  | { readonly kind: 'forget' }
  /** Look again later, without counting a failure. */
  | { readonly kind: 'wait'; readonly afterMs: number; readonly why: string }
  /** The objects themselves are wrong; only a change of theirs helps. */
  | { readonly kind: 'refuse'; readonly claim: PersistentVolumeClaim; readonly message: string }
  | {
      readonly kind: 'blockedByPod';
      readonly claim: PersistentVolumeClaim;
      readonly volume: PersistentVolume;
      readonly pod: string;
    }
  | { readonly kind: 'clearPreResizeCapacity'; readonly volume: PersistentVolume }
  | ExpandStep;

type SeenPair = Seen & { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume };

export interface ExpandStep {
  readonly kind: 'expand';
  readonly claim: PersistentVolumeClaim;
  readonly volume: PersistentVolume;
  readonly target: Size;
  /** The claim's status does not yet say that this size is being worked on. */
  readonly isNewTarget: boolean;
}

/** The next step for one claim. */
export function decideClaim(seen: Seen, rules: ResizeRules): Step {
  const { claim, volume } = seen;
  if (!claim) return { kind: 'forget' };
  if (!claim.spec?.volumeName) return nothing('the claim has no volume yet');
  if (!volume) return nothing(`volume "${claim.spec.volumeName}" is not there yet`);
  if (volume.spec?.csi?.driver !== rules.driverName) return nothing('the volume belongs to another driver');
  if (!isBoundTo(volume, claim)) return nothing('the volume is bound to another claim');
  try {
    return decideOwn({ ...seen, claim, volume }, rules);
  } catch (error) {
    if (error instanceof QuantityError) return { kind: 'refuse', claim, message: error.message };
    throw error;
  }
}

function decideOwn(seen: SeenPair, rules: ResizeRules): Step {
  const { claim, volume } = seen;
  const { phase, capacity } = claim.status ?? {};
  const requested = size(claim.spec?.resources?.requests?.storage);
  const actual = size(capacity?.storage);

  if (rules.isPreResizeCapacityCleared && isPreResizeCapacityStale(volume, actual)) {
    return { kind: 'clearPreResizeCapacity', volume };
  }
  if (phase !== 'Bound') return nothing('the claim is not bound');
  if (!requested || !actual) return nothing('the claim has no size yet');
  if (requested.bytes <= actual.bytes) return nothing('the claim has the size it asks for');
  return decideGrowth(seen, requested, rules);
}

function decideGrowth(seen: SeenPair, requested: Size, rules: ResizeRules): Step {
  const { claim, volume, memory, usingPod } = seen;
  const { allocatedResources, allocatedResourceStatuses } = claim.status ?? {};
  const allocated = size(allocatedResources?.storage);
  const resourceStatus = allocatedResourceStatuses?.storage ?? '';
  const choice = chooseTarget({
    requested,
    allocated,
    volumeBytes: bytesOf(volume),
    resourceStatus,
    hasFinalError: memory.hasFinalError,
    isNodeOnly: rules.isNodeOnly,
    isFileSystemResizePending: hasCondition(claim, conditions.fileSystemResizePending),
  });
  if (choice.kind === 'leave') return nothing(choice.why);

  const { target } = choice;
  const isSameTarget = allocated?.bytes === target.bytes;
  const restMs = memory.restUntilMs - seen.nowMs;
  if (isSameTarget && resourceStatus === resourceStatuses.controllerInfeasible && restMs > 0) {
    return { kind: 'wait', afterMs: restMs, why: 'the driver called this size impossible a short while ago' };
  }
  if (memory.isRefusedInUse && usingPod !== undefined) return { kind: 'blockedByPod', claim, volume, pod: usingPod };
  return { kind: 'expand', claim, volume, target, isNewTarget: !isSameTarget || resourceStatus === '' };
}

/** Whether the node has caught up, so that the size it started from is of no more use to it. */
function isPreResizeCapacityStale(volume: PersistentVolume, actual: Size | undefined): boolean {
  if (volume.metadata.annotations?.[annotations.preResizeCapacity] === undefined) return false;
  return actual !== undefined && actual.bytes >= bytesOf(volume);
}

function isBoundTo(volume: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const ref = volume.spec?.claimRef;
  return ref?.namespace === metadata.namespace && ref?.name === metadata.name && ref?.uid === metadata.uid;
}

export function hasCondition(claim: PersistentVolumeClaim, type: string): boolean {
  return claim.status?.conditions?.some((each) => each.type === type && each.status === 'True') ?? false;
}

function bytesOf(volume: PersistentVolume): bigint {
  return size(volume.spec?.capacity?.storage)?.bytes ?? 0n;
}

function size(text: string | undefined): Size | undefined {
  return text === undefined ? undefined : { text, bytes: parseBytes(text) };
}

function nothing(why: string): Step {
  return { kind: 'nothing', why };
}
