import { formatBytes, parseBytes } from '@holdfast/core';
import type { Patch, PersistentVolume } from '@holdfast/kube';
import { annotations } from './names.ts';

/** Writes the new size on the volume, and the one before where it is to be kept. Undefined when all of it is there already. */
export function grownPatch(
  volume: PersistentVolume,
  grown: { sizeBytes: bigint; previousSize: string; isPreviousKept: boolean },
): Patch | undefined {
  const capacity = volume.spec?.capacity?.storage;
  const isRecorded = capacity !== undefined && parseBytes(capacity) >= grown.sizeBytes;
  const isAnnotated = volume.metadata.annotations?.[annotations.preResizeCapacity] !== undefined;
  const isAnnotationDue = grown.isPreviousKept && !isAnnotated;
  if (isRecorded && !isAnnotationDue) return undefined;
  const note = { annotations: { [annotations.preResizeCapacity]: grown.previousSize } };
  return {
    kind: 'strategic',
    body: {
      metadata: { uid: volume.metadata.uid, ...(isAnnotationDue ? note : {}) },
      ...(isRecorded ? {} : { spec: { capacity: { storage: formatBytes(grown.sizeBytes) } } }),
    },
  };
}

export function clearPreResizeCapacityPatch(volume: PersistentVolume): Patch {
  return {
    kind: 'strategic',
    body: { metadata: { uid: volume.metadata.uid, annotations: { [annotations.preResizeCapacity]: null } } },
  };
}

/** Writes on the volume which class it has. Undefined when it says so already. */
export function classPatch(volume: PersistentVolume, className: string): Patch | undefined {
  if (volume.spec?.volumeAttributesClassName === className) return undefined;
  return {
    kind: 'strategic',
    body: { metadata: { uid: volume.metadata.uid }, spec: { volumeAttributesClassName: className } },
  };
}
