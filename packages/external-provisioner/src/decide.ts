import type {
  Draft,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
  VolumeAttributesClass,
} from '@holdfast/kube';
import type { ClaimProgress } from './claim-progress.ts';
import type { SourceView } from './content-source.ts';
import type { DriverTraits } from './driver-traits.ts';
import { classForDriver, isAskedOf, isInTreeClass, translated } from './in-tree.ts';
import { annotations } from './names.ts';
import { isAllowed, type NodeRole } from './node-role.ts';
import { type ProvisionRules, planVolume, selectedNodeOf, type VolumePlan } from './plan.ts';
import type { SourceRef } from './source-ref.ts';
import type { ClusterTopology } from './topology.ts';
import { flattenAllowed } from './topology-terms.ts';

/** All that a decision about a claim depends on. */
export interface ClaimView {
  /** Undefined once the claim is gone. */
  readonly claim: PersistentVolumeClaim | undefined;
  readonly storageClass: StorageClass | undefined;
  /** The PersistentVolume that has the name this claim's volume gets. */
  readonly volume: PersistentVolume | undefined;
  readonly progress: ClaimProgress | undefined;
  /** Of the claim's `volumeAttributesClassName`. */
  readonly attributesClass?: VolumeAttributesClass | undefined;
  /** What the volume is to be filled from; undefined until somebody has looked. */
  readonly source?: SourceView;
  /** Until this node may try to take the claim; undefined when it has not queued for it. */
  readonly contentionMs?: number | undefined;
  /** Set while the driver's last InvalidArgument for this claim is fresh. */
  readonly infeasible: { readonly storageClassUid: string; readonly remainingMs: number } | undefined;
}

export interface ProvisionContext {
  readonly driver: DriverTraits;
  readonly rules: ProvisionRules;
  readonly cluster: ClusterTopology;
  /** Set where each node has a provisioner of its own. */
  readonly node?: NodeRole | undefined;
}

export type ClaimStep = { readonly reason: string } & (
  | { readonly kind: 'ignore' }
  /** Others have to do their part first; when they have, the claim is another. */
  | { readonly kind: 'await'; readonly awaited: 'scheduler' | 'binder' }
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
  /** No node is chosen, and this one is to try, in a while of its own. */
  | { readonly kind: 'queueUp'; readonly claim: PersistentVolumeClaim }
  /** The while is over. Without a plan the claim cannot be served as written, which whoever takes it tells. */
  | { readonly kind: 'contend'; readonly claim: PersistentVolumeClaim; readonly plan: VolumePlan | undefined }
  /** What the claim's source is like decides how to go on. */
  | { readonly kind: 'lookUp'; readonly source: SourceRef }
  /** The cache shows a claim without volume, though we stored one: ask the API server before making a second. */
  | { readonly kind: 'confirm'; readonly claim: PersistentVolumeClaim }
  | { readonly kind: 'create'; readonly plan: VolumePlan }
  | {
      readonly kind: 'save';
      readonly plan: VolumePlan;
      readonly draft: Draft<PersistentVolume>;
      readonly volumeId: string;
    }
  | { readonly kind: 'discard'; readonly plan: VolumePlan; readonly volumeId: string; readonly why: string }
);

/** The next step for a claim. */
export function decideClaim(view: ClaimView, context: ProvisionContext): ClaimStep {
  const { claim, progress } = view;
  if (progress && progress.kind !== 'saved') return resume(progress);
  if (!claim) return { kind: 'forget', reason: 'the claim is gone and nothing was begun for it' };
  if (claim.spec?.volumeName) return { kind: 'forget', reason: `the claim has its volume ${claim.spec.volumeName}` };

  const { driver } = context;
  if (!isAskedOf(claim, driver)) return { kind: 'ignore', reason: 'the claim is for another provisioner' };
  // A claim under deletion is provisioned all the same: a call cut off by a restart may have left a volume, which only
  // the same call, and then the PersistentVolume that is reclaimed, can remove.
  const className = classNameOf(claim);
  const { storageClass } = view;
  if (!storageClass) {
    const reason =
      className === '' ? 'the claim names no StorageClass' : `StorageClass ${className} does not exist: create it`;
    return { kind: 'refuse', claim, className, reason };
  }
  if (storageClass.provisioner !== driver.driverName && !isInTreeClass(storageClass, driver)) {
    return { kind: 'ignore', reason: `StorageClass ${className} is of provisioner ${storageClass.provisioner}` };
  }
  if (storageClass.volumeBindingMode === 'WaitForFirstConsumer' && selectedNodeOf(claim) === undefined) {
    return {
      kind: 'await',
      awaited: 'scheduler',
      reason: `StorageClass ${className} waits for the first pod, and the scheduler has chosen no node yet`,
    };
  }
  const elsewhere = context.node && whyElsewhere(claim, storageClass, context.node);
  if (elsewhere !== undefined) return { kind: 'ignore', reason: elsewhere };
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
        volumeId: progress.volumeId,
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
    return { kind: 'await', awaited: 'binder', reason: `PersistentVolume ${name} exists and waits to be bound` };
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
  const inCsi = translated(() => classForDriver(storageClass, context.driver));
  if ('refusal' in inCsi) return { kind: 'refuse', claim, className, reason: inCsi.refusal };
  const { attributesClass, source } = view;
  const { node } = context;
  const isFree = node !== undefined && !claim.metadata.annotations?.[annotations.selectedNode];
  if (isFree && view.contentionMs === undefined) {
    return { kind: 'queueUp', claim, reason: 'any node may take the claim' };
  }
  if (isFree && view.contentionMs !== undefined && view.contentionMs > 0) {
    return { kind: 'delay', afterMs: view.contentionMs, reason: 'this node waits for its turn to take the claim' };
  }
  const result = planVolume({
    claim,
    storageClass: inCsi.value,
    isMigrated: isInTreeClass(storageClass, context.driver),
    attributesClass,
    source,
    ...context,
    ...(isFree ? { selectedNode: node.nodeName } : {}),
  });
  if (isFree && result.kind !== 'lookUp') {
    const plan = result.kind === 'planned' ? result.plan : undefined;
    return { kind: 'contend', claim, plan, reason: 'it is this node’s turn to take the claim' };
  }
  switch (result.kind) {
    case 'planned':
      return { kind: 'create', plan: result.plan, reason: 'the claim has no volume yet' };
    case 'refused':
      return { kind: 'refuse', claim, className, reason: result.reason };
    case 'unready':
      return { kind: 'retry', claim, className, reason: result.reason };
    case 'lookUp':
      return { ...result, reason: 'the volume is to be filled from something' };
    case 'reschedule':
      return { kind: 'reschedule', claim, node: result.node, reason: result.reason };
    default:
      return result satisfies never;
  }
}

/** Why a claim is not for the provisioner of this node. */
function whyElsewhere(claim: PersistentVolumeClaim, storageClass: StorageClass, node: NodeRole): string | undefined {
  const selected = claim.metadata.annotations?.[annotations.selectedNode];
  if (selected === node.nodeName) return undefined;
  if (selected) return `the claim is for node ${selected}`;
  if (!node.isImmediateBinding)
    return 'no node is chosen for the claim, and --node-deployment-immediate-binding is off';
  if (isAllowed(flattenAllowed(storageClass.allowedTopologies ?? []), node)) return undefined;
  return 'this node is outside the allowedTopologies of the class';
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
