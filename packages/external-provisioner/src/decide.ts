import type { Draft, PersistentVolume, PersistentVolumeClaim, StorageClass } from '@holdfast/kube';
import type { ClaimProgress } from './claim-progress.ts';
import type { DriverTraits } from './driver-traits.ts';
import { annotations } from './names.ts';
import { type ProvisionRules, planVolume, selectedNodeOf, type VolumePlan } from './plan.ts';
import type { ClusterTopology } from './topology.ts';

/** All that a decision about a claim depends on. */
export interface ClaimView {
  /** Undefined once the claim is gone. */
  readonly claim: PersistentVolumeClaim | undefined;
  readonly storageClass: StorageClass | undefined;
  /** The PersistentVolume that has the name this claim's volume gets. */
  readonly volume: PersistentVolume | undefined;
  readonly progress: ClaimProgress | undefined;
  /** Set while the driver's last InvalidArgument for this claim is fresh. */
  readonly infeasible: { readonly storageClassUid: string; readonly remainingMs: number } | undefined;
}

export interface ProvisionContext {
  readonly driver: DriverTraits;
  readonly rules: ProvisionRules;
  readonly cluster: ClusterTopology;
}

export type ClaimStep = { readonly reason: string } & (
  | { readonly kind: 'ignore' }
  /** A volume populator makes the volume; the claim's owner is told that this program does not. */
  | { readonly kind: 'leaveToPopulator'; readonly claim: PersistentVolumeClaim }
  /** Nothing more to do for this claim, ever: what was remembered of it goes. */
  | { readonly kind: 'forget' }
  /** The claim or its class must change first; whoever changes it wakes us. */
  | { readonly kind: 'refuse'; readonly claim: PersistentVolumeClaim; readonly className: string }
  /** What is missing may come by itself. */
  | { readonly kind: 'retry'; readonly claim: PersistentVolumeClaim; readonly className: string }
  | { readonly kind: 'delay'; readonly afterMs: number }
  | { readonly kind: 'reschedule'; readonly claim: PersistentVolumeClaim; readonly node: string }
  /** The cache shows a claim without volume, though we stored one: ask the API server before making a second. */
  | { readonly kind: 'confirm'; readonly claim: PersistentVolumeClaim }
  | { readonly kind: 'create'; readonly plan: VolumePlan }
  | { readonly kind: 'save'; readonly plan: VolumePlan; readonly draft: Draft<PersistentVolume> }
  | { readonly kind: 'discard'; readonly plan: VolumePlan; readonly volumeId: string; readonly why: string }
);

/** The next step for a claim. */
export function decideClaim(view: ClaimView, context: ProvisionContext): ClaimStep {
  const { claim, progress } = view;
  if (progress && progress.kind !== 'saved') return resume(progress);
  if (!claim) return { kind: 'forget', reason: 'the claim is gone and nothing was begun for it' };
  if (claim.spec?.volumeName) return { kind: 'forget', reason: `the claim has its volume ${claim.spec.volumeName}` };

  const { driverName } = context.driver;
  if (provisionerOf(claim) !== driverName) return { kind: 'ignore', reason: 'the claim is for another provisioner' };
  // A claim under deletion is provisioned all the same: a call cut off by a restart may have left a volume, which only
  // the same call, and then the PersistentVolume that is reclaimed, can remove.
  const className = classNameOf(claim);
  const { storageClass } = view;
  if (!storageClass) {
    const reason =
      className === '' ? 'the claim names no StorageClass' : `StorageClass ${className} does not exist: create it`;
    return { kind: 'refuse', claim, className, reason };
  }
  if (storageClass.provisioner !== driverName) {
    return { kind: 'ignore', reason: `StorageClass ${className} is of provisioner ${storageClass.provisioner}` };
  }
  if (storageClass.volumeBindingMode === 'WaitForFirstConsumer' && selectedNodeOf(claim) === undefined) {
    return {
      kind: 'ignore',
      reason: `StorageClass ${className} waits for the first pod, and the scheduler has chosen no node yet`,
    };
  }
  if (isPopulated(claim)) {
    const reason = 'the data source is of a kind that a volume populator serves';
    return { kind: 'leaveToPopulator', claim, reason };
  }
  if (view.volume) return judgeExisting(view.volume, claim, className);
  if (progress) return { kind: 'confirm', claim, reason: `volume ${progress.volumeName} was stored, and is gone` };
  return begin(claim, storageClass, view, context);
}

function resume(progress: Exclude<ClaimProgress, { kind: 'saved' }>): ClaimStep {
  switch (progress.kind) {
    case 'creating':
      return {
        kind: 'create',
        plan: progress.plan,
        reason: 'the driver has not answered the last CreateVolume for good',
      };
    case 'created':
      return {
        kind: 'save',
        plan: progress.plan,
        draft: progress.draft,
        reason: 'the volume is created, its PersistentVolume is not stored yet',
      };
    case 'unwanted':
      return {
        kind: 'discard',
        plan: progress.plan,
        volumeId: progress.volumeId,
        why: progress.why,
        reason: 'the created volume cannot be used',
      };
    default:
      return progress satisfies never;
  }
}

/** A volume of the claim's name exists: ours is success, another's is in the way. */
function judgeExisting(volume: PersistentVolume, claim: PersistentVolumeClaim, className: string): ClaimStep {
  const { name } = volume.metadata;
  if (volume.spec?.claimRef?.uid === claim.metadata.uid) {
    return { kind: 'ignore', reason: `PersistentVolume ${name} exists and waits to be bound` };
  }
  return {
    kind: 'refuse',
    claim,
    className,
    reason: `PersistentVolume ${name} exists already and is not this claim's: delete it, or the claim`,
  };
}

function begin(
  claim: PersistentVolumeClaim,
  storageClass: StorageClass,
  view: ClaimView,
  context: ProvisionContext,
): ClaimStep {
  const className = storageClass.metadata.name;
  if (view.infeasible && view.infeasible.storageClassUid === storageClass.metadata.uid) {
    return {
      kind: 'delay',
      afterMs: view.infeasible.remainingMs,
      reason: 'the driver called the parameters invalid, and neither the claim nor its class is another since',
    };
  }
  const result = planVolume({ claim, storageClass, ...context });
  switch (result.kind) {
    case 'planned':
      return { kind: 'create', plan: result.plan, reason: 'the claim has no volume yet' };
    case 'refused':
      return { kind: 'refuse', claim, className, reason: result.reason };
    case 'unready':
      return { kind: 'retry', claim, className, reason: result.reason };
    case 'reschedule':
      return { kind: 'reschedule', claim, node: result.node, reason: result.reason };
    default:
      return result satisfies never;
  }
}

function provisionerOf(claim: PersistentVolumeClaim): string | undefined {
  const given = claim.metadata.annotations;
  return given?.[annotations.storageProvisioner] ?? given?.[annotations.betaStorageProvisioner];
}

/** The claim's class; the beta annotation still wins over the field, as everywhere in Kubernetes. */
export function classNameOf(claim: PersistentVolumeClaim): string {
  return claim.metadata.annotations?.[annotations.betaStorageClass] ?? claim.spec?.storageClassName ?? '';
}

/**
 * Snapshots and claims are sources a provisioner fills a volume from. Any other kind is filled by a populator, which
 * makes the claim's volume itself.
 */
function isPopulated(claim: PersistentVolumeClaim): boolean {
  const source = claim.spec?.dataSource ?? claim.spec?.dataSourceRef;
  return source !== undefined && source.kind !== 'VolumeSnapshot' && source.kind !== 'PersistentVolumeClaim';
}
