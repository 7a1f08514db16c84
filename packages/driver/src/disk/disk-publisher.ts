import type { Publication, PublishRequest, Volume, VolumeStats } from '@holdfast/driver-kit';
import {
  blockDeviceSizeBytes,
  canonicalMountPoint,
  fileSystemUsage,
  findMount,
  growFileSystem,
  isPublishedDevice,
  isReadOnlyMount,
  publishBlockDevice,
  refreshLoopDevice,
} from '@holdfast/mount';
import { rpcError } from '@holdfast/rpc';
import type { RecordStore } from '../pool/record-store.ts';
import { clearTarget, publishFolder, unpublishTarget } from '../target-path.ts';
import { isFileSystemOn } from './device-mounts.ts';
import type { DiskDevices } from './disk-device.ts';
import type { StageRecord } from './stage-record.ts';

export interface DiskPublisher {
  publications(volume: Volume, targetPath: string): Promise<Publication[]>;
  publish(request: PublishRequest): Promise<void>;
  unpublish(id: string, targetPath: string): Promise<void>;
  stats(volume: Volume, path: string): Promise<VolumeStats | undefined>;
  /** @returns the device's size, or undefined when the volume is not at that path */
  expand(volume: Volume, path: string): Promise<bigint | undefined>;
}

export function createDiskPublisher(deps: {
  devices: DiskDevices;
  stageRecords: RecordStore<StageRecord>;
}): DiskPublisher {
  const { devices, stageRecords } = deps;

  /** Which of the volume's faces is at a path: its file system, its device node, or none. */
  async function faceAt(
    volume: Volume,
    path: string,
  ): Promise<{ kind: 'mount' | 'block'; device: string; fsType: string; isReadOnly: boolean } | undefined> {
    const loop = await devices.find(volume.id);
    const entry = await findMount(path);
    if (loop === undefined || entry === undefined) return undefined;
    if (isFileSystemOn(entry, loop.device)) {
      const isReadOnly = entry.superOptions.includes('ro');
      return { kind: 'mount', device: loop.device, fsType: entry.fsType, isReadOnly };
    }
    if (await isPublishedDevice(path, loop.device)) {
      return { kind: 'block', device: loop.device, fsType: '', isReadOnly: loop.isReadOnly };
    }
    return undefined;
  }

  async function publishBlock(request: PublishRequest): Promise<void> {
    const { volume, targetPath: target, isReadOnly } = request;
    // A device that was released after a restart, because nothing used it yet, comes back here.
    const loop = await devices.attach(volume);
    if (isReadOnly && !loop.isReadOnly) {
      throw rpcError(
        'FailedPrecondition',
        `volume ${volume.id} is attached writable, and a device node cannot be published read-only then: attach it read-only`,
      );
    }
    await clearTarget(target);
    await publishBlockDevice({ device: loop.device, target, isReadOnly });
  }

  return {
    async publications(volume, targetPath) {
      const loop = await devices.find(volume.id);
      if (loop === undefined) return [];
      const asked = await canonicalMountPoint(targetPath);
      const { stagingPath: staging = '', lostMounts = [] } = (await stageRecords.load(volume.id)) ?? {};
      const staged = staging === '' ? '' : await canonicalMountPoint(staging);
      return (await devices.mountsOf(loop.device))
        .filter(({ mountPoint }) => mountPoint !== staged && !lostMounts.includes(mountPoint))
        .map((entry) => ({
          targetPath: entry.mountPoint === asked ? targetPath : entry.mountPoint,
          isReadOnly: isReadOnlyMount(entry),
          kind: isFileSystemOn(entry, loop.device) ? 'mount' : 'block',
        }));
    },

    async publish(request) {
      if (request.access.kind === 'block') return publishBlock(request);
      const { volume, stagingPath, targetPath: target, isReadOnly } = request;
      if ((await faceAt(volume, stagingPath))?.kind !== 'mount') {
        throw rpcError(
          'FailedPrecondition',
          `volume ${volume.id} is not staged at ${stagingPath}: NodeStageVolume comes first`,
        );
      }
      await publishFolder({ source: stagingPath, target, isReadOnly });
    },

    unpublish: (id, targetPath) => unpublishTarget(targetPath, (entry) => devices.isMountOf(id, entry)),

    async stats(volume, path) {
      const face = await faceAt(volume, path);
      if (face === undefined) return undefined;
      if (face.kind === 'block') {
        return { bytes: { total: await blockDeviceSizeBytes(face.device), used: 0n, available: 0n } };
      }
      const { totalBytes, usedBytes, availableBytes, inodes } = await fileSystemUsage(path);
      return {
        bytes: { total: totalBytes, used: usedBytes, available: availableBytes },
        ...(inodes === undefined ? {} : { inodes }),
      };
    },

    async expand(volume, path) {
      const face = await faceAt(volume, path);
      if (face === undefined) return undefined;
      const sizeBytes = await refreshLoopDevice(face.device);
      // A read-only file system cannot be written, so not grown; it fills its device when it is staged writable.
      if (face.kind === 'block' || face.isReadOnly) return sizeBytes;
      const { device, fsType } = face;
      await growFileSystem({ device, fsType, mountPoint: await canonicalMountPoint(path) });
      const record = await stageRecords.load(volume.id);
      if (record !== undefined && record.filledBytes !== sizeBytes) {
        await stageRecords.save(volume.id, { ...record, filledBytes: sizeBytes });
      }
      return sizeBytes;
    },
  };
}
