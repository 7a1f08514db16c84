import { rmdir } from 'node:fs/promises';
import type { Logger } from '@holdfast/core';
import type { Access, InlineVolumes } from '@holdfast/driver-kit';
import { findMount } from '@holdfast/mount';
import { rpcError } from '@holdfast/rpc';
import { withMountCodes } from '../mount-errors.ts';
import type { InlineRecord } from '../pool/inline-records.ts';
import { createInlineVolumes } from '../pool/inline-volumes.ts';
import type { RecordStore } from '../pool/record-store.ts';
import { unpublishTarget } from '../target-path.ts';
import { isFileSystemOn } from './device-mounts.ts';
import { createDiskDevices } from './disk-device.ts';
import type { DiskImages } from './disk-images.ts';
import { createDiskPublisher } from './disk-publisher.ts';
import { createDiskStaging } from './disk-staging.ts';
import type { PoolSpace } from './pool-space.ts';
import { createStageRecords } from './stage-record.ts';

export interface DiskInlineDeps {
  readonly store: RecordStore<InlineRecord>;
  readonly images: DiskImages;
  readonly stagesFolder: string;
  /** Of volumes that are not inline. */
  readonly otherImages: DiskImages;
  readonly space: PoolSpace;
  readonly nodeId: string;
  readonly ioCgroup: string;
  readonly log: Logger;
}

/** A disk that is formatted and mounted at its pod's target: no attachment is recorded, nothing is staged before. */
export function createDiskInline(deps: DiskInlineDeps): InlineVolumes<unknown> & { recover(): Promise<void> } {
  const { store, images, stagesFolder, otherImages, space, nodeId, ioCgroup, log } = deps;
  const devices = createDiskDevices({ images, neighbours: [otherImages], records: store, nodeId });
  const stageRecords = createStageRecords(stagesFolder, nodeId);
  const staging = createDiskStaging({ devices, stageRecords, ioCgroup, log });
  const { stats } = createDiskPublisher({ devices, stageRecords });

  const volumes = createInlineVolumes({
    store,
    nodeId,
    log,
    content: {
      reserve: (sizeBytes, write) =>
        space.reserve(async () => {
          await space.require(sizeBytes);
          await write();
        }),
      make: ({ id, capacityBytes }) => images.make(id, capacityBytes),
      async show(volume, { targetPath, access, isReadOnly }) {
        try {
          await staging.stage({
            volume,
            stagingPath: targetPath,
            access: isReadOnly ? readOnly(access) : access,
            publishContext: {},
            secrets: {},
          });
        } catch (error) {
          if ((await findMount(targetPath)) === undefined) await rmdir(targetPath).catch(() => undefined);
          throw error;
        }
      },
      async publications({ id }, targetPath) {
        const loop = await devices.find(id);
        if (loop === undefined) return [];
        const here = await findMount(targetPath);
        return (await devices.mountsOf(loop.device)).map((entry) => ({
          targetPath: entry.mountPoint === here?.mountPoint ? targetPath : entry.mountPoint,
          isReadOnly: entry.superOptions.includes('ro'),
          kind: isFileSystemOn(entry, loop.device) ? 'mount' : 'block',
        }));
      },
      hide: (id, targetPath) => unpublishTarget(targetPath, (entry) => devices.isMountOf(id, entry)),
      async discard(id) {
        if ((await devices.release(id)) === 'inUse') {
          throw rpcError(
            'FailedPrecondition',
            `the device of inline volume ${id} is still in use: another mount namespace or process holds it; try again once that ends`,
          );
        }
        await images.remove(id);
        await stageRecords.remove(id);
      },
    },
  });

  return {
    ...volumes,
    stats,
    publish: (request) => withMountCodes(() => volumes.publish(request)),
    unpublish: (id, targetPath) => withMountCodes(() => volumes.unpublish(id, targetPath)),
    async recover() {
      await stageRecords.removeTemporaryFiles();
      await volumes.recover();
      // What is left over no pod's mount: the device of a volume that is still to be unpublished, say.
      await devices.releaseUnused();
    },
  };
}

function readOnly(access: Access): Access {
  return access.kind === 'mount' ? { ...access, mountFlags: [...access.mountFlags, 'ro'] } : access;
}
