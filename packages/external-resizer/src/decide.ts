import { parseBytes, QuantityError } from '@holdfast/core';
import type { PersistentVolume, PersistentVolumeClaim } from '@holdfast/kube';
import { isOfPlugin, MigrationError, volumeToCsi } from '@holdfast/migration';
import { type BoundClaim, bindingOf } from './bound-claim.ts';
import type { DriverTraits } from './driver-traits.ts';
import { annotations, conditions, resourceStatuses } from './names.ts';
import { chooseTarget, type Size } from './target-size.ts';

/** All that a decision about a claim depends on. */
export interface ClaimView {
  /** Undefined once the claim is gone. */
  readonly claim: PersistentVolumeClaim | undefined;
  /** The volume that the claim names. */
  readonly volume: PersistentVolume | undefined;
  readonly facts: ClaimFacts;
  /** A pod that uses the claim and has not ended; only looked for once the driver has refused. */
  readonly usingPod: string | undefined;
  readonly nowMs: number;
}

/** What only this process knows of a claim. Losing it costs a call, never correctness. */
export interface ClaimFacts {
  /** The last expansion failed for good: nothing of it is under way in the driver. */
  readonly hasFinalError: boolean;
  /** The driver refused because the volume is in use. */
  readonly isRefusedInUse: boolean;
  /** Until when (monotonic) a size that the driver called impossible is not asked for again. */
  readonly restUntilMs: number;
}

export const NOTHING_KNOWN_OF_RESIZE: ClaimFacts = {
  hasFinalError: false,
  isRefusedInUse: false,
  restUntilMs: Number.NEGATIVE_INFINITY,
};

/** What the flags decide about expansions. */
export interface ResizeRules {
  /** Gate AnnotateFsResize: the size before is written on a volume that the node has yet to grow, and goes once it has. */
  readonly isPreResizeCapacityKept: boolean;
}

export interface ResizeContext {
  readonly driver: DriverTraits;
  readonly rules: ResizeRules;
}

export type ClaimStep = { readonly reason: string } & (
  | { readonly kind: 'ignore' }
  /** The claim is gone: what was remembered of it goes. */
  | { readonly kind: 'forget' }
  /** The claim or its volume must change first; whoever changes it wakes us. */
  | { readonly kind: 'refuse'; readonly claim: PersistentVolumeClaim }
  /** The volume is large enough, and kubelet has yet to grow what is in it; what it writes on the claim wakes us. */
  | { readonly kind: 'awaitNode' }
  /** A pod uses the volume; its end wakes us. */
  | { readonly kind: 'awaitRelease'; readonly claim: PersistentVolumeClaim }
  | { readonly kind: 'delay'; readonly afterMs: number }
  | { readonly kind: 'clearPreResizeCapacity'; readonly volume: PersistentVolume }
  | Expansion
);

export interface Expansion {
  readonly kind: 'expand';
  readonly claim: PersistentVolumeClaim;
  /** With a CSI source, also where it is one of an in-tree plug-in. */
  readonly volume: PersistentVolume;
  readonly isMigrated: boolean;
  readonly target: Size;
  /** The claim's status does not yet say that this size is being worked on. */
  readonly isNewTarget: boolean;
}

type BoundView = ClaimView & BoundClaim;

/** The next step for a claim. */
export function decideClaim(view: ClaimView, context: ResizeContext): ClaimStep {
  const { claim, volume } = view;
  if (!claim) return { kind: 'forget', reason: 'the claim is gone' };
  const binding = bindingOf(claim, volume, context.driver);
  if (binding.kind === 'none') return ignore(binding.reason);
  try {
    return decideBound({ ...view, claim, volume: binding.volume }, context);
  } catch (error) {
    if (error instanceof QuantityError || error instanceof MigrationError) {
      return { kind: 'refuse', claim, reason: error.message };
    }
    throw error;
  }
}

/** @throws QuantityError, MigrationError */
function decideBound(view: BoundView, context: ResizeContext): ClaimStep {
  const { claim, volume } = view;
  const { phase, capacity } = claim.status ?? {};
  const requested = sizeOf(claim.spec?.resources?.requests?.storage);
  const actual = sizeOf(capacity?.storage);

  if (context.rules.isPreResizeCapacityKept && isPreResizeCapacityStale(volume, actual)) {
    return { kind: 'clearPreResizeCapacity', volume, reason: 'the node has caught up' };
  }
  if (phase !== 'Bound') return ignore('the claim is not bound');
  if (!requested || !actual) return ignore('the claim has no size yet');
  if (requested.bytes <= actual.bytes) return ignore('the claim has the size it asks for');
  return decideGrowth(view, requested, context.driver);
}

function decideGrowth(view: BoundView, requested: Size, driver: DriverTraits): ClaimStep {
  const { claim, volume, facts, usingPod } = view;
  const { allocatedResources, allocatedResourceStatuses } = claim.status ?? {};
  const allocated = sizeOf(allocatedResources?.storage);
  const resourceStatus = allocatedResourceStatuses?.storage ?? '';
  const choice = chooseTarget({
    requested,
    allocated,
    volumeBytes: capacityBytesOf(volume),
    resourceStatus,
    hasFinalError: facts.hasFinalError,
    isNodeOnly: driver.isNodeOnly,
    isFileSystemResizePending: hasCondition(claim, conditions.fileSystemResizePending),
  });
  if (choice.kind === 'leave') return { kind: 'awaitNode', reason: choice.reason };

  const { target } = choice;
  const isSameTarget = allocated?.bytes === target.bytes;
  const restMs = facts.restUntilMs - view.nowMs;
  if (isSameTarget && resourceStatus === resourceStatuses.controllerInfeasible && restMs > 0) {
    return { kind: 'delay', afterMs: restMs, reason: 'the driver called this size impossible a short while ago' };
  }
  if (facts.isRefusedInUse && usingPod !== undefined) {
    const reason =
      `the driver only supports offline expansion and pod "${usingPod}" uses the volume; ` +
      'delete every pod that uses it, then the resize goes on';
    return { kind: 'awaitRelease', claim, reason };
  }
  const isNewTarget = !isSameTarget || resourceStatus === '';
  const reason = 'the claim asks for more than it has';
  return { kind: 'expand', claim, ...asKnownToDriver(volume, driver), target, isNewTarget, reason };
}

/** @throws MigrationError */
function asKnownToDriver(
  volume: PersistentVolume,
  { plugin, isNodeOnly }: DriverTraits,
): Pick<Expansion, 'volume' | 'isMigrated'> {
  const isMigrated = isOfPlugin(volume, plugin);
  // Where there is no call to make, there is nothing to translate.
  if (!plugin || !isMigrated || isNodeOnly) return { volume, isMigrated };
  return { volume: volumeToCsi(plugin, volume), isMigrated };
}

/** Whether the node has caught up, so that the size it started from is of no more use to it. */
function isPreResizeCapacityStale(volume: PersistentVolume, actual: Size | undefined): boolean {
  if (volume.metadata.annotations?.[annotations.preResizeCapacity] === undefined) return false;
  return actual !== undefined && actual.bytes >= capacityBytesOf(volume);
}

export function hasCondition(claim: PersistentVolumeClaim, type: string): boolean {
  return claim.status?.conditions?.some((each) => each.type === type && each.status === 'True') ?? false;
}

function capacityBytesOf(volume: PersistentVolume): bigint {
  return sizeOf(volume.spec?.capacity?.storage)?.bytes ?? 0n;
}

function sizeOf(text: string | undefined): Size | undefined {
  return text === undefined ? undefined : { text, bytes: parseBytes(text) };
}

function ignore(reason: string): ClaimStep {
  return { kind: 'ignore', reason };
}
