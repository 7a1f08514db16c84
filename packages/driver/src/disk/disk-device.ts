import { access } from 'node:fs/promises';
import { systemClock } from '@holdfast/core';
import type { Volume } from '@holdfast/driver-kit';
import {
  attachLoopDevice,
  detachLoopDevice,
  findLoopDevice,
  isBusy,
  type LoopDevice,
  LoopDeviceError,
  listLoopDevices,
  type MountEntry,
  readMountInfo,
  topMountAt,
} from '@holdfast/mount';
import { rpcError } from '@holdfast/rpc';
import { BrokenRecordError, type RecordStore } from '../pool/record-store.ts';
import type { VolumeRecord } from '../pool/volume-record.ts';
import { isLoopMount, showsDevice } from './device-mounts.ts';
import type { DiskImages } from './disk-images.ts';

export interface DiskDevices {
  find(id: string): Promise<LoopDevice | undefined>;
  /** @throws RpcError FailedPrecondition when the volume is not attached to this node */
  attach(volume: Volume): Promise<LoopDevice>;
  /** Where a device is seen now, topmost mounts only. */
  mountsOf(device: string): Promise<MountEntry[]>;
  /** Whether a mount is the volume's. Of a volume that has no device any more, any may be that is of a loop device and no other volume's. */
  isMountOf(id: string, entry: MountEntry): Promise<boolean>;
  /** Detaches the volume's device unless it is in use. Not attached is success. */
  release(id: string): Promise<'free' | 'inUse'>;
  /** Whether the volume is attached to another node, which may run on this machine too: its device is not ours to take down. */
  isOfAnotherNode(id: string): Promise<boolean>;
  /** Detaches the devices of this node and pool that nothing uses, and returns them. */
  releaseUnused(): Promise<LoopDevice[]>;
}

const graceMs = 3_000;

export function createDiskDevices(deps: {
  images: DiskImages;
  /** Other images whose devices are mounted at targets as well. */
  neighbours?: readonly DiskImages[];
  records: Pick<RecordStore<VolumeRecord>, 'load'>;
  nodeId: string;
}): DiskDevices {
  const { images, neighbours = [], records, nodeId } = deps;

  /** Also those over an image of the same name that was removed while attached: inode and device tell, or the path. */
  async function allOf(id: string): Promise<LoopDevice[]> {
    const path = images.pathOf(id);
    const current = await find(id);
    return (await listLoopDevices()).filter(
      (loop) => loop.device === current?.device || loop.backingFile.replace(/ \(deleted\)$/, '') === path,
    );
  }

  async function find(id: string): Promise<LoopDevice | undefined> {
    return (await images.has(id)) ? findLoopDevice(images.pathOf(id)) : undefined;
  }

  async function isOfAnother(id: string, entry: MountEntry): Promise<boolean> {
    const shown = (await listLoopDevices()).filter((loop) => showsDevice(entry, loop.device));
    if (shown.length === 0) return false;
    for (const among of [images, ...neighbours]) {
      for (const other of await among.ids()) {
        if ((other === id && among === images) || !(await among.has(other))) continue;
        if ((await findLoopDevice(among.pathOf(other), shown)) !== undefined) return true;
      }
    }
    return false;
  }

  async function mountsOf(device: string): Promise<MountEntry[]> {
    const entries = await readMountInfo();
    return entries.filter((entry) => showsDevice(entry, device) && topMountAt(entries, entry.mountPoint) === entry);
  }

  /** Mounts of any layer here, or, by the exclusive claim, in another mount namespace. */
  async function isInUse(device: string): Promise<boolean> {
    if ((await readMountInfo()).some((entry) => showsDevice(entry, device))) return true;
    return isBusy(device);
  }

  /** A mount namespace made while the volume was mounted (any container's start) has a copy of the mount, often for a moment only. */
  async function isInUseAfterGrace(device: string): Promise<boolean> {
    const deadlineMs = systemClock.monotonicMs() + graceMs;
    while (await isInUse(device)) {
      const isMountedHere = (await readMountInfo()).some((entry) => showsDevice(entry, device));
      if (isMountedHere || systemClock.monotonicMs() > deadlineMs) return true;
      await systemClock.sleep(50);
    }
    return false;
  }

  async function isOfAnotherNode(id: string): Promise<boolean> {
    try {
      return (await records.load(id))?.attachments.some((one) => one.nodeId !== nodeId) ?? false;
    } catch (error) {
      if (error instanceof BrokenRecordError) return true;
      throw error;
    }
  }

  return {
    find,
    mountsOf,
    isOfAnotherNode,
    async attach(volume) {
      const attachment = volume.attachments.find((one) => one.nodeId === nodeId);
      if (attachment === undefined) {
        throw rpcError(
          'FailedPrecondition',
          `volume ${volume.id} is not attached to node ${nodeId}: ControllerPublishVolume comes first`,
        );
      }
      if (!(await images.has(volume.id))) {
        throw rpcError(
          'Internal',
          `the image ${images.pathOf(volume.id)} of volume ${volume.id} is missing: restore it, or delete the volume`,
        );
      }
      return attachLoopDevice({ file: images.pathOf(volume.id), isReadOnly: attachment.isReadOnly });
    },
    async release(id) {
      for (const { device } of await allOf(id)) {
        if (await isInUseAfterGrace(device)) return 'inUse';
        await detachLoopDevice(device);
      }
      return 'free';
    },
    async isMountOf(id, entry) {
      const loops = await allOf(id);
      if (loops.length > 0) return loops.some(({ device }) => showsDevice(entry, device));
      return isLoopMount(entry) && !(await isOfAnother(id, entry));
    },
    async releaseUnused() {
      const released: LoopDevice[] = [];
      const known = new Map<string, string>();
      const loops = await listLoopDevices();
      for (const id of await images.ids()) {
        const loop = await findLoopDevice(images.pathOf(id), loops);
        if (loop !== undefined) known.set(loop.device, id);
      }
      for (const loop of loops) {
        // An image removed while attached is found by its path alone.
        const id = known.get(loop.device);
        const isOurs =
          id === undefined ? loop.backingFile.startsWith(`${images.folder}/`) : !(await isOfAnotherNode(id));
        if (!isOurs || (await isInUse(loop.device))) continue;
        try {
          await detachLoopDevice(loop.device);
          released.push(loop);
        } catch (error) {
          // Somebody holds it open; the kernel detaches it when they let go.
          if (!(error instanceof LoopDeviceError)) throw error;
        }
      }
      return released;
    },
  };
}

/** @throws where the kernel, or the container, has no loop devices */
export async function requireLoopDevices(): Promise<void> {
  try {
    await access('/dev/loop-control');
  } catch (error) {
    throw new Error(
      "/dev/loop-control is missing: the disk backend needs loop devices, in a container the host's /dev",
      {
        cause: error,
      },
    );
  }
}
