import type { PersistentVolume, PersistentVolumeClaim, VolumeAttributesClass } from '@holdfast/kube';
import { type BoundClaim, bindingOf } from './bound-claim.ts';
import { hasCondition } from './decide.ts';
import { conditions, modifyStatuses } from './names.ts';

/** All that a decision about the attributes of a claim's volume depends on. */
export interface ModifyView {
  /** Undefined once the claim is gone. */
  readonly claim: PersistentVolumeClaim | undefined;
  /** The volume that the claim names. */
  readonly volume: PersistentVolume | undefined;
  readonly facts: ModifyFacts;
  /** The class of a name; undefined when there is none. */
  readonly classOf: (name: string) => VolumeAttributesClass | undefined;
  readonly nowMs: number;
}

/** What only this process knows of a modification. Losing it costs a call, never correctness. */
export interface ModifyFacts {
  /** The last call for the target on the claim failed for good: nothing of it is under way in the driver. */
  readonly hasFinalError: boolean;
  /** Until when (monotonic) a class that the driver called impossible is not asked for again. */
  readonly restUntilMs: number;
}

export const NOTHING_KNOWN_OF_MODIFY: ModifyFacts = { hasFinalError: false, restUntilMs: Number.NEGATIVE_INFINITY };

export type ModifyStep = { readonly reason: string } & (
  | { readonly kind: 'ignore' }
  /** The claim is gone: what was remembered of it goes. */
  | { readonly kind: 'forget' }
  | { readonly kind: 'delay'; readonly afterMs: number }
  /** The user has given up a change that the driver refused; the claim no longer says that one is under way. */
  | { readonly kind: 'cancel'; readonly claim: PersistentVolumeClaim }
  | ClassWait
  | Modification
);

/** Nothing can be done until there is a class of that name that belongs to the driver. */
export interface ClassWait {
  readonly kind: 'awaitClass';
  readonly reason: string;
  readonly claim: PersistentVolumeClaim;
  readonly className: string;
  /** The claim's status does not yet say that the change waits. */
  readonly isNewlyPending: boolean;
}

export interface Modification extends BoundClaim {
  readonly kind: 'modify';
  readonly attributesClass: VolumeAttributesClass;
  /** The claim's status does not yet say that this class is being worked on. */
  readonly isNewTarget: boolean;
}

interface Target {
  readonly className: string;
  /** Recorded on the claim as what the driver has been, or is about to be, asked for. */
  readonly isUnderWay: boolean;
}

/**
 * The next step towards the VolumeAttributesClass that a claim asks for. A call whose outcome is unknown is brought to
 * its end before another class counts: the driver may be at work on it still (KEP-3751, "VolumeAttributesClass").
 */
export function decideModify(view: ModifyView, driverName: string): ModifyStep {
  const { claim, volume } = view;
  if (!claim) return { kind: 'forget', reason: 'the claim is gone' };
  // A volume of an in-tree plug-in has no class.
  const binding = bindingOf(claim, volume, { driverName });
  if (binding.kind === 'none') return ignore(binding.reason);
  if (claim.status?.phase !== 'Bound') return ignore('the claim is not bound');

  const { modifyVolumeStatus: status } = claim.status;
  const wanted = wantedClass(claim);
  if (!status && wanted === (claim.status.currentVolumeAttributesClassName ?? '')) {
    return ignore('the volume has the class that the claim asks for');
  }
  const isInProgress = status?.status === modifyStatuses.inProgress;
  if (wanted === '' && !isInProgress) {
    if (!hasCondition(claim, conditions.modifyingVolume)) return ignore('the claim asks for no class');
    return { kind: 'cancel', claim, reason: 'the claim no longer asks for the class that the driver refused' };
  }
  return decideTowards(targetOf(claim, wanted, view.facts), { view, bound: binding, driverName });
}

/** The class a claim asks for; '' for none. */
export function wantedClass({ spec }: PersistentVolumeClaim): string {
  return spec?.volumeAttributesClassName ?? '';
}

/** The class that the driver was asked for last; '' for none. */
export function recordedClass({ status }: PersistentVolumeClaim): string {
  return status?.modifyVolumeStatus?.targetVolumeAttributesClassName ?? '';
}

function targetOf(claim: PersistentVolumeClaim, wanted: string, facts: ModifyFacts): Target {
  const recorded = recordedClass(claim);
  const isInProgress = claim.status?.modifyVolumeStatus?.status === modifyStatuses.inProgress;
  const isPinned = isInProgress && recorded !== '' && (wanted === '' || !facts.hasFinalError);
  const className = isPinned ? recorded : wanted;
  return { className, isUnderWay: isInProgress && className === recorded };
}

function decideTowards(
  { className, isUnderWay }: Target,
  { view, bound, driverName }: { view: ModifyView; bound: BoundClaim; driverName: string },
): ModifyStep {
  const { claim, volume } = bound;
  const status = claim.status?.modifyVolumeStatus;
  const isRefused = status?.status === modifyStatuses.infeasible && recordedClass(claim) === className;
  const restMs = view.facts.restUntilMs - view.nowMs;
  if (isRefused && restMs > 0) {
    return { kind: 'delay', afterMs: restMs, reason: 'the driver called this class impossible a short while ago' };
  }
  const attributesClass = view.classOf(className);
  if (attributesClass?.driverName !== driverName) {
    const isNewlyPending = !isUnderWay && status?.status !== modifyStatuses.pending;
    const reason = attributesClass ? ofAnotherDriver(attributesClass, driverName) : missing(className);
    return { kind: 'awaitClass', claim, className, isNewlyPending, reason };
  }
  const reason = 'the claim asks for a class that the volume does not have';
  return { kind: 'modify', claim, volume, attributesClass, isNewTarget: !isUnderWay, reason };
}

function missing(className: string): string {
  return `VolumeAttributesClass "${className}" does not exist; create it, or name another in spec.volumeAttributesClassName`;
}

function ofAnotherDriver({ metadata, driverName }: VolumeAttributesClass, ours: string): string {
  return (
    `VolumeAttributesClass "${metadata.name}" is for driver "${driverName}", and the volume is of driver "${ours}"; ` +
    'name a class of that driver in spec.volumeAttributesClassName'
  );
}

function ignore(reason: string): ModifyStep {
  return { kind: 'ignore', reason };
}
