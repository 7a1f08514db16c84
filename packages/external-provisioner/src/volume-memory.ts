import type { PersistentVolume } from '@holdfast/kube';

/** How far a volume's deletion has come. */
export type DeletionStage = 'volumeDeleted' | 'objectDeleted';

/**
 * Remembers deletions until the watch shows the object gone, so that DeleteVolume and the object's DELETE are each sent
 * once however many events the object's last moments bring. By name, valid for one uid.
 */
export interface VolumeMemory {
  stage(volume: PersistentVolume): DeletionStage | undefined;
  set(volume: PersistentVolume, stage: DeletionStage): void;
  forget(name: string): void;
}

export function createVolumeMemory(): VolumeMemory {
  const byName = new Map<string, { uid: string; stage: DeletionStage }>();
  return {
    stage(volume) {
      const entry = byName.get(volume.metadata.name);
      return entry?.uid === volume.metadata.uid ? entry.stage : undefined;
    },
    set(volume, stage) {
      byName.set(volume.metadata.name, { uid: volume.metadata.uid, stage });
    },
    forget(name) {
      byName.delete(name);
    },
  };
}
