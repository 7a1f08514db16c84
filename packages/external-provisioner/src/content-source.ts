import { parseQuantity, quantityToBytes } from '@holdfast/core';
import type { VolumeContentSource } from '@holdfast/csi-spec';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  ReferenceGrant,
  VolumeSnapshot,
  VolumeSnapshotContent,
} from '@holdfast/kube';
import type { DriverTraits } from './driver-traits.ts';
import { annotations, CLONE_SOURCE_FINALIZER, SNAPSHOT_GROUP, SNAPSHOT_SOURCE_FINALIZER } from './names.ts';
import { requestedBytes } from './requested-size.ts';
import type { SourceRef } from './source-ref.ts';

/** What the API server says of a claim's source, read for one decision. */
export type SourceView = {
  /** Of the source's namespace; read only when that is not the claim's. */
  readonly grants: readonly ReferenceGrant[];
} & (
  | {
      readonly kind: 'snapshot';
      readonly snapshot: VolumeSnapshot | undefined;
      readonly content: VolumeSnapshotContent | undefined;
    }
  | {
      readonly kind: 'claim';
      readonly claim: PersistentVolumeClaim | undefined;
      readonly volume: PersistentVolume | undefined;
    }
);

/** A source that a volume can be made from now. `uid` is that of the object which must stay until it is made. */
export interface UsableSource {
  readonly ref: SourceRef;
  readonly uid: string;
  readonly contentSource: VolumeContentSource;
  /** It has our finalizer already. */
  readonly isProtected: boolean;
}

export type SourceAnswer =
  | { readonly kind: 'usable'; readonly source: UsableSource }
  /** Not now. It may be later, and nothing that we watch tells when. */
  | { readonly kind: 'unready'; readonly reason: string };

interface Question {
  readonly claim: PersistentVolumeClaim;
  readonly ref: SourceRef;
  readonly driver: DriverTraits;
  readonly isModeConversionPrevented: boolean;
}

/** What CreateVolume's `volume_content_source` comes to. */
export function contentSource(question: Question, view: SourceView): SourceAnswer {
  const { ref, claim } = question;
  if (ref.isOtherNamespace && !view.grants.some((grant) => permits(grant, ref, claim.metadata.namespace ?? ''))) {
    return unready(
      `no ReferenceGrant in namespace ${ref.namespace} lets claims of namespace ${claim.metadata.namespace} use ${ref.kind} ${ref.name}`,
    );
  }
  return view.kind === 'snapshot' ? fromSnapshot(question, view) : fromClaim(question, view);
}

function unready(reason: string): SourceAnswer {
  return { kind: 'unready', reason };
}

function permits({ spec }: ReferenceGrant, ref: SourceRef, namespace: string): boolean {
  const group = ref.kind === 'VolumeSnapshot' ? SNAPSHOT_GROUP : '';
  const isFrom = spec?.from.some(
    (from) => from.group === '' && from.kind === 'PersistentVolumeClaim' && from.namespace === namespace,
  );
  const isTo = spec?.to.some(
    (to) =>
      to.group === group && to.kind === ref.kind && (to.name === undefined || to.name === '' || to.name === ref.name),
  );
  return isFrom === true && isTo === true;
}

type SnapshotView = Extract<SourceView, { kind: 'snapshot' }>;
type ClaimView = Extract<SourceView, { kind: 'claim' }>;

function fromSnapshot(question: Question, view: SnapshotView): SourceAnswer {
  const { ref } = question;
  const { snapshot, content } = view;
  const name = `VolumeSnapshot ${ref.namespace}/${ref.name}`;
  if (!snapshot) return unready(`${name} does not exist: create it`);
  const contentName = snapshot.status?.boundVolumeSnapshotContentName;
  if (!contentName) return unready(`${name} is not bound to a VolumeSnapshotContent yet`);
  if (!content) return unready(`VolumeSnapshotContent ${contentName} of ${name} does not exist`);

  // With our finalizer it was in use before its deletion was asked for; that use must come to its end.
  const isInUse = snapshot.metadata.finalizers?.includes(SNAPSHOT_SOURCE_FINALIZER) ?? false;
  if (snapshot.metadata.deletionTimestamp !== undefined && !isInUse) return unready(`${name} is being deleted`);
  const fault = contentFault(question, snapshot, content) ?? modeFault(question, content);
  if (fault !== undefined) return unready(fault);
  const tooSmall = smallerThan(question.claim, snapshot.status?.restoreSize, name);
  if (tooSmall !== undefined) return unready(tooSmall);
  const snapshotId = content.status?.snapshotHandle;
  if (!snapshotId) return unready(`VolumeSnapshotContent ${contentName} has no snapshot handle yet`);
  const value: VolumeContentSource = { type: { $case: 'snapshot', value: { snapshotId } } };
  return {
    kind: 'usable',
    source: { ref, uid: snapshot.metadata.uid, contentSource: value, isProtected: isInUse },
  };
}

function contentFault(
  { ref, driver }: Question,
  { metadata, status }: VolumeSnapshot,
  content: VolumeSnapshotContent,
): string | undefined {
  const name = `VolumeSnapshot ${ref.namespace}/${ref.name}`;
  const { volumeSnapshotRef: back } = content.spec;
  if (back.uid !== metadata.uid || back.namespace !== ref.namespace || back.name !== ref.name) {
    return `VolumeSnapshotContent ${content.metadata.name} is of another snapshot than ${name}`;
  }
  if (content.spec.driver !== driver.driverName) {
    return `${name} is of driver ${content.spec.driver}: use a StorageClass of that driver`;
  }
  return status?.readyToUse === true ? undefined : `${name} is not ready to use yet`;
}

/** A file system on what another system wrote as raw blocks may be an attack on the node's kernel; upstream's guard. */
function modeFault({ claim, isModeConversionPrevented }: Question, content: VolumeSnapshotContent): string | undefined {
  const { sourceVolumeMode } = content.spec;
  const mode = claim.spec?.volumeMode;
  if (!isModeConversionPrevented || sourceVolumeMode === undefined || mode === undefined) return undefined;
  if (sourceVolumeMode === mode || isGoTrue(content.metadata.annotations?.[annotations.allowVolumeModeChange])) {
    return undefined;
  }
  return `the claim wants a ${mode} volume of a snapshot of a ${sourceVolumeMode} one: an administrator may allow that by annotation ${annotations.allowVolumeModeChange}: "true" on VolumeSnapshotContent ${content.metadata.name}`;
}

function fromClaim(question: Question, { claim: source, volume }: ClaimView): SourceAnswer {
  const { claim, ref, driver } = question;
  const name = `claim ${ref.namespace}/${ref.name}`;
  if (!source) return unready(`the source, ${name}, does not exist: create it`);
  const fault = sourceFault(question, source) ?? volumeFault(question, source, volume);
  if (fault !== undefined) return unready(fault);
  const csi = volume?.spec?.csi;
  if (csi?.driver !== driver.driverName) {
    return unready(
      `the source, ${name}, has a volume of ${csi?.driver ?? 'no CSI driver'}, not of ${driver.driverName}`,
    );
  }
  const tooSmall = smallerThan(claim, source.spec?.resources?.requests?.['storage'], `the source, ${name},`);
  if (tooSmall !== undefined) return unready(tooSmall);
  const { uid, finalizers } = source.metadata;
  const value: VolumeContentSource = { type: { $case: 'volume', value: { volumeId: csi.volumeHandle } } };
  const isProtected = finalizers?.includes(CLONE_SOURCE_FINALIZER) ?? false;
  return { kind: 'usable', source: { ref, uid, contentSource: value, isProtected } };
}

function sourceFault({ claim, ref }: Question, { metadata, spec, status }: PersistentVolumeClaim): string | undefined {
  const name = `claim ${ref.namespace}/${ref.name}`;
  if (status?.phase !== 'Bound' || !spec?.volumeName) return `the source, ${name}, is not bound yet`;
  if (metadata.deletionTimestamp !== undefined) return `the source, ${name}, is being deleted`;
  if (spec.storageClassName === undefined || claim.spec?.storageClassName === undefined) {
    return `a clone and its source, ${name}, both need spec.storageClassName`;
  }
  const mode = claim.spec.volumeMode ?? 'Filesystem';
  const sourceMode = spec.volumeMode ?? 'Filesystem';
  if (mode === sourceMode) return undefined;
  return `the source, ${name}, has volumeMode ${sourceMode}, and a clone cannot have ${mode}`;
}

function volumeFault(
  { ref }: Question,
  source: PersistentVolumeClaim,
  volume: PersistentVolume | undefined,
): string | undefined {
  const name = `claim ${ref.namespace}/${ref.name}`;
  if (!volume) return `PersistentVolume ${source.spec?.volumeName} of the source, ${name}, does not exist`;
  const back = volume.spec?.claimRef;
  if (back?.uid !== source.metadata.uid || back.namespace !== ref.namespace || back.name !== ref.name) {
    return `PersistentVolume ${volume.metadata.name} is bound to another claim than the source, ${name}`;
  }
  if (volume.status?.phase === 'Bound') return undefined;
  return `PersistentVolume ${volume.metadata.name} of the source, ${name}, is not bound`;
}

function smallerThan(claim: PersistentVolumeClaim, least: string | undefined, name: string): string | undefined {
  if (least === undefined) return undefined;
  const wantedBytes = requestedBytes(claim);
  const leastBytes = quantityToBytes(parseQuantity(least));
  if (wantedBytes >= leastBytes) return undefined;
  return `the claim asks for ${wantedBytes} bytes, and ${name} has ${leastBytes}: ask for at least ${least}`;
}

/** As Go's strconv.ParseBool. */
function isGoTrue(text: string | undefined): boolean {
  return text !== undefined && ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text);
}
