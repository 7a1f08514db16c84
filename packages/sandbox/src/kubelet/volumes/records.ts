import { join } from 'node:path';
import * as z from 'zod';
import { listDir, recoverRecord, removeDirUnlessUsed, removeRecord, writeRecord } from '../files.ts';
import type { KubeletPaths, VolumeRef } from '../paths.ts';

// kubelet's own names, so that a person who knows its folders can read ours.
const recordShape = z.object({
  driverName: z.string().min(1),
  volumeHandle: z.string().min(1),
  specVolID: z.string().min(1),
});

export interface FoundStage {
  readonly volume: VolumeRef;
}

export interface FoundPublication {
  readonly volume: VolumeRef;
  readonly podUid: string;
}

export interface VolumeRecords {
  writeStage(volume: VolumeRef): Promise<void>;
  removeStage(volume: VolumeRef): Promise<void>;
  writePublication(volume: VolumeRef, podUid: string): Promise<void>;
  removePublication(volume: VolumeRef, podUid: string): Promise<void>;
  /** What a run before this one had begun to mount. */
  readAll(): Promise<{ readonly stages: readonly FoundStage[]; readonly publications: readonly FoundPublication[] }>;
}

/**
 * A record is written before the driver is called and removed after the mount is gone, so that a restart finds at least
 * everything that is mounted.
 */
export function createVolumeRecords(paths: KubeletPaths): VolumeRecords {
  const content = ({ driver, handle, specName }: VolumeRef) => ({
    driverName: driver,
    volumeHandle: handle,
    specVolID: specName,
  });

  async function read(path: string, isBlock: boolean): Promise<VolumeRef[]> {
    const parsed = recordShape.safeParse(await recoverRecord(path));
    if (!parsed.success) {
      return [];
    }
    const { driverName, volumeHandle, specVolID } = parsed.data;
    return [{ driver: driverName, handle: volumeHandle, specName: specVolID, isBlock }];
  }

  async function readStages(): Promise<FoundStage[]> {
    const found: FoundStage[] = [];
    for (const driver of await listDir(paths.csiPlugins)) {
      const isBlock = driver === 'volumeDevices';
      for (const name of await listDir(join(paths.csiPlugins, driver))) {
        const record = isBlock ? ['data', 'vol_data.json'] : ['vol_data.json'];
        const folder = join(paths.csiPlugins, driver, name);
        const volumes = await read(join(folder, ...record), isBlock);
        // Cut off before its record was there, and so before anything else was made in it.
        if (volumes.length === 0 && !isBlock) {
          await removeDirUnlessUsed(folder);
        }
        found.push(...volumes.map((volume) => ({ volume })));
      }
    }
    return found;
  }

  async function readPublications(): Promise<FoundPublication[]> {
    const found: FoundPublication[] = [];
    for (const podUid of await listDir(paths.pods)) {
      for (const [folder, isBlock] of [
        ['volumes', false],
        ['volumeDevices', true],
      ] as const) {
        const dir = join(paths.pods, podUid, folder, 'kubernetes.io~csi');
        for (const name of await listDir(dir)) {
          const volumes = await read(join(dir, name, 'vol_data.json'), isBlock);
          found.push(...volumes.map((volume) => ({ volume, podUid })));
        }
      }
    }
    return found;
  }

  return {
    writeStage: (volume) => writeRecord(paths.stagingRecord(volume), content(volume)),
    removeStage: (volume) => removeRecord(paths.stagingRecord(volume)),
    writePublication: (volume, podUid) => writeRecord(paths.targetRecord(volume, podUid), content(volume)),
    removePublication: (volume, podUid) => removeRecord(paths.targetRecord(volume, podUid)),
    readAll: async () => ({ stages: await readStages(), publications: await readPublications() }),
  };
}
