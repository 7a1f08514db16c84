import type { Store } from '@holdfast/control';
import { type KubeClient, type Patch, type PersistentVolume, persistentVolumes } from '@holdfast/kube';

/** One patch of a volume, or none when there is nothing to change. */
export type PatchVolume = (volume: PersistentVolume, patch: Patch | undefined, signal: AbortSignal) => Promise<void>;

export function createVolumeWriter(deps: { client: KubeClient; volumes: Store<PersistentVolume> }): PatchVolume {
  const { client, volumes } = deps;
  return async (volume, patch, signal) => {
    if (patch === undefined) return;
    volumes.applyWrite(await client.patch(persistentVolumes, { name: volume.metadata.name }, patch, { signal }));
  };
}
