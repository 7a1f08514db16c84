import { errorMessage } from '@holdfast/core';
import type { HealthProblem, StorageProblem, Volume } from '@holdfast/driver-kit';
import { requireWritable } from '../pool/pool-folder.ts';
import { isFileSystemOn } from './device-mounts.ts';
import type { DiskDevices } from './disk-device.ts';
import type { DiskImages } from './disk-images.ts';

export interface DiskHealth {
  ofVolume(volume: Volume): Promise<HealthProblem[]>;
  ofVolumeOnNode(volume: Volume): Promise<HealthProblem[]>;
  ofStorage(): Promise<StorageProblem[]>;
}

export function createDiskHealth(deps: { pool: string; images: DiskImages; devices: DiskDevices }): DiskHealth {
  const { pool, images, devices } = deps;

  async function ofVolume({ id }: Volume): Promise<HealthProblem[]> {
    if (await images.has(id)) return [];
    const message = `the image ${images.pathOf(id)} is missing: restore it, or delete the volume`;
    return [{ kind: 'DATA_LOSS', reason: 'ImageMissing', message }];
  }

  return {
    ofVolume,
    async ofVolumeOnNode(volume) {
      const problems = await ofVolume(volume);
      const loop = await devices.find(volume.id);
      if (loop === undefined || loop.isReadOnly) return problems;
      const mounts = await devices.mountsOf(loop.device);
      // A mount that asked for `ro` has it among its own options from the start; an error sets it on the superblock alone.
      const failed = mounts.find(
        (entry) =>
          isFileSystemOn(entry, loop.device) && entry.superOptions.includes('ro') && entry.options.includes('rw'),
      );
      if (failed === undefined) return problems;
      const message = `the kernel made the file system at ${failed.mountPoint} read-only after an error: unstage the volume and check it with fsck`;
      return [...problems, { kind: 'DEGRADED', reason: 'FileSystemReadOnly', message }];
    },
    async ofStorage() {
      try {
        await requireWritable(pool);
        return [];
      } catch (error) {
        return [{ kind: 'STORAGE_UNREACHABLE', reason: 'PoolNotWritable', message: errorMessage(error) }];
      }
    },
  };
}
