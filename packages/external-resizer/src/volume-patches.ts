import { formatBytes, parseBytes } from '@holdfast/core';
import type { Patch, PersistentVolume } from '@holdfast/kube';
import { annotations } from './names.ts';

/** Writes the new size on the volume, and what the node needs to finish. Undefined when all of it is there already. */
export function grownPatch(
  volume: PersistentVolume,
  grown: { sizeBytes: bigint; isNodeExpansionRequired: boolean; previousSize: string },
): Patch | undefined {
  const capacity = volume.spec?.capacity?.storage;
  const isRecorded = capacity !== undefined && parseBytes(capacity) >= grown.sizeBytes;
  const isAnnotated = volume.metadata.annotations?.[annotations.preResizeCapacity] !== undefined;
  const isAnnotationDue = grown.isNodeExpansionRequired && !isAnnotated;
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
