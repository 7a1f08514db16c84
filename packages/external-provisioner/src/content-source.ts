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

function fromSnapshot(
  { claim, ref, driver, isModeConversionPrevented }: Question,
  { snapshot, content }: Extract<SourceView, { kind: 'snapshot' }>,
): SourceAnswer {
  const name = `VolumeSnapshot ${ref.namespace}/${ref.name}`;
  if (!snapshot) return unready(`${name} does not exist: create it`);
  // With our finalizer it was in use before its deletion was asked for; that use must come to its end.
  const isInUse = snapshot.metadata.finalizers?.includes(SNAPSHOT_SOURCE_FINALIZER) ?? false;
  if (snapshot.metadata.deletionTimestamp !== undefined && !isInUse) return unready(`${name} is being deleted`);
  const contentName = snapshot.status?.boundVolumeSnapshotContentName;
  if (!contentName) return unready(`${name} is not bound to a VolumeSnapshotContent yet`);
  if (!content) return unready(`VolumeSnapshotContent ${contentName} of ${name} does not exist`);

  const { volumeSnapshotRef: back, sourceVolumeMode } = content.spec;
  const { uid } = snapshot.metadata;
  if (back.uid !== uid || back.namespace !== ref.namespace || back.name !== ref.name) {
    return unready(`VolumeSnapshotContent ${contentName} is of another snapshot than ${name}`);
  }
  if (content.spec.driver !== driver.driverName) {
    return unready(`${name} is of driver ${content.spec.driver}: use a StorageClass of that driver`);
  }
  if (snapshot.status?.readyToUse !== true) return unready(`${name} is not ready to use yet`);
  const snapshotId = content.status?.snapshotHandle;
  if (!snapshotId) return unready(`VolumeSnapshotContent ${contentName} has no snapshot handle yet`);

  const tooSmall = smallerThan(claim, snapshot.status.restoreSize, name);
  if (tooSmall !== undefined) return unready(tooSmall);
  const mode = claim.spec?.volumeMode;
  if (isModeConversionPrevented && sourceVolumeMode !== undefined && mode !== undefined && sourceVolumeMode !== mode) {
    const allowed = content.metadata.annotations?.[annotations.allowVolumeModeChange];
    if (!isGoTrue(allowed)) {
      return unready(
        `the claim wants a ${mode} volume of a snapshot of a ${sourceVolumeMode} one: an administrator may allow that by annotation ${annotations.allowVolumeModeChange}: "true" on VolumeSnapshotContent ${contentName}`,
      );
    }
  }
  return {
    kind: 'usable',
    source: { ref, uid, contentSource: { type: { $case: 'snapshot', value: { snapshotId } } }, isProtected: isInUse },
  };
}

function fromClaim(
  { claim, ref, driver }: Question,
  { claim: source, volume }: Extract<SourceView, { kind: 'claim' }>,
): SourceAnswer {
  const name = `claim ${ref.namespace}/${ref.name}`;
  if (!source) return unready(`the source, ${name}, does not exist: create it`);
  if (source.status?.phase !== 'Bound' || !source.spec?.volumeName)
    return unready(`the source, ${name}, is not bound yet`);
  if (source.metadata.deletionTimestamp !== undefined) return unready(`the source, ${name}, is being deleted`);
  if (source.spec.storageClassName === undefined || claim.spec?.storageClassName === undefined) {
    return unready(`a clone and its source, ${name}, both need spec.storageClassName`);
  }
  const tooSmall = smallerThan(claim, source.spec.resources?.requests?.['storage'], `the source, ${name},`);
  if (tooSmall !== undefined) return unready(tooSmall);

  const volumeName = source.spec.volumeName;
  if (!volume) return unready(`PersistentVolume ${volumeName} of the source, ${name}, does not exist`);
  const csi = volume.spec?.csi;
  if (csi?.driver !== driver.driverName) {
    return unready(
      `the source, ${name}, has a volume of ${csi?.driver ?? 'no CSI driver'}, not of ${driver.driverName}`,
    );
  }
  const back = volume.spec?.claimRef;
  if (back?.uid !== source.metadata.uid || back.namespace !== ref.namespace || back.name !== ref.name) {
    return unready(`PersistentVolume ${volumeName} is bound to another claim than the source, ${name}`);
  }
  if (volume.status?.phase !== 'Bound')
    return unready(`PersistentVolume ${volumeName} of the source, ${name}, is not bound`);
  const mode = claim.spec.volumeMode ?? 'Filesystem';
  const sourceMode = source.spec.volumeMode ?? 'Filesystem';
  if (mode !== sourceMode) {
    return unready(`the source, ${name}, has volumeMode ${sourceMode}, and a clone cannot have ${mode}`);
  }
  return {
    kind: 'usable',
    source: {
      ref,
      uid: source.metadata.uid,
      contentSource: { type: { $case: 'volume', value: { volumeId: csi.volumeHandle } } },
      isProtected: source.metadata.finalizers?.includes(CLONE_SOURCE_FINALIZER) ?? false,
    },
  };
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
