import { compareQuantities, parseQuantity } from '@holdfast/core';
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from '@holdfast/kube';
import { annotations } from '../names.ts';
import { canNodeReachVolume, matchesLabels } from '../selectors.ts';

/** The claim's class: '' asks for volumes without a class, undefined for the cluster's default. */
export function classNameOfClaim(claim: PersistentVolumeClaim): string | undefined {
  return claim.metadata.annotations?.[annotations.betaStorageClass] ?? claim.spec?.storageClassName;
}

export function classNameOfVolume(volume: PersistentVolume): string {
  return volume.metadata.annotations?.[annotations.betaStorageClass] ?? volume.spec?.storageClassName ?? '';
}

/** Whether `volume` is reserved for `claim`, by name and, once a controller has bound it, by uid. */
export function isVolumeForClaim(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const ref = volume.spec?.claimRef;
  return (
    ref !== undefined &&
    ref.namespace === claim.metadata.namespace &&
    ref.name === claim.metadata.name &&
    (ref.uid === undefined || ref.uid === '' || ref.uid === claim.metadata.uid)
  );
}

/** Why a volume cannot serve a claim that asks for it; undefined when it can. */
export function mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  return sizeMismatch(volume, claim) ?? kindMismatch(volume, claim);
}

function sizeMismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  const size = volume.spec?.capacity?.['storage'];
  const request = claim.spec?.resources?.requests?.['storage'];
  return size === undefined || (request !== undefined && !isAtLeast(size, request))
    ? `requested PV is too small: ${size ?? 'no capacity'} for a request of ${request ?? 'nothing'}`
    : undefined;
}

function kindMismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  const { spec } = volume;
  const asked = claim.spec;
  const offered = spec?.accessModes ?? [];
  if (classNameOfVolume(volume) !== (classNameOfClaim(claim) ?? '')) {
    return 'storageClassName does not match';
  }
  if ((spec?.volumeMode ?? 'Filesystem') !== (asked?.volumeMode ?? 'Filesystem')) {
    return 'incompatible volumeMode';
  }
  if (!(asked?.accessModes ?? []).every((mode) => offered.includes(mode))) {
    return 'incompatible accessMode';
  }
  return (spec?.volumeAttributesClassName ?? '') === (asked?.volumeAttributesClassName ?? '')
    ? undefined
    : 'volumeAttributesClassName does not match';
}

/**
 * The volume to bind to a claim: one reserved for it, else the smallest free one that suits.
 * With a node, only volumes the node can reach; with `isReservedOnly`, free volumes are left for the scheduler to choose.
 */
export function findVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  options: { readonly node?: Node; readonly isReservedOnly?: boolean } = {},
): PersistentVolume | undefined {
  const usable = volumes.filter(
    (volume) =>
      volume.metadata.deletionTimestamp === undefined &&
      (options.node === undefined || canNodeReachVolume(volume, options.node)),
  );
  const reserved = usable.find((volume) => isVolumeForClaim(volume, claim));
  if (reserved !== undefined) {
    return mismatch(reserved, claim) === undefined ? reserved : undefined;
  }
  if (options.isReservedOnly === true) {
    return undefined;
  }
  return usable
    .filter(
      (volume) =>
        volume.spec?.claimRef === undefined &&
        volume.status?.phase === 'Available' &&
        mismatch(volume, claim) === undefined &&
        matchesLabels(claim.spec?.selector, volume.metadata.labels),
    )
    .toSorted(bySizeThenName)[0];
}

/** The newest class marked as default, as the admission plug-in chooses. */
export function defaultClass(classes: readonly StorageClass[]): StorageClass | undefined {
  return classes
    .filter((storageClass) => storageClass.metadata.annotations?.[annotations.isDefaultClass] === 'true')
    .toSorted(
      (a, b) =>
        Date.parse(b.metadata.creationTimestamp) - Date.parse(a.metadata.creationTimestamp) ||
        (a.metadata.name < b.metadata.name ? -1 : 1),
    )[0];
}

function isAtLeast(size: string, request: string): boolean {
  return compareQuantities(parseQuantity(size), parseQuantity(request)) >= 0;
}

function bySizeThenName(a: PersistentVolume, b: PersistentVolume): number {
  const sizes = [a, b].map((volume) => parseQuantity(volume.spec?.capacity?.['storage'] ?? '0'));
  const [sizeA, sizeB] = sizes;
  const order = sizeA === undefined || sizeB === undefined ? 0 : compareQuantities(sizeA, sizeB);
  return order || (a.metadata.name < b.metadata.name ? -1 : 1);
}
