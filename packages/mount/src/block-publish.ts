import { lstat, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { blockDeviceNumber, isSameDevice } from './device-numbers.ts';
import { bindMount } from './mount.ts';
import type { MountEntry } from './mount-info.ts';
import { findMount, isErrno } from './mount-point.ts';

/**
 * Shows a block device at a target path: an empty file with the device node bound over it. Read-only must be set on the
 * device itself (a read-only loop device), because a read-only bind does not stop writes through a device node.
 */
export async function publishBlockDevice(options: {
  device: string;
  target: string;
  isReadOnly: boolean;
}): Promise<MountEntry> {
  const { device, target, isReadOnly } = options;
  await makeTargetFile(target);
  return bindMount({ source: device, target, isReadOnly });
}

const deviceFileSystems = ['devtmpfs', 'tmpfs', 'ramfs'];

/** Which device a target shows: a bound device node is a mount of devtmpfs (or of the tmpfs that a container has as /dev). */
export async function isPublishedDevice(target: string, device: string): Promise<boolean> {
  const entry = await findMount(target);
  // Anything else is not looked at: what is mounted there may be a server that does not answer.
  if (entry === undefined || !deviceFileSystems.includes(entry.fsType)) return false;
  const [shown, wanted] = await Promise.all([blockDeviceNumber(target), blockDeviceNumber(device)]);
  return shown !== undefined && wanted !== undefined && isSameDevice(shown, wanted);
}

async function makeTargetFile(target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o750 });
  try {
    const handle = await open(target, 'wx', 0o600);
    await handle.close();
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
    const found = await lstat(target);
    if (!found.isFile() || found.size !== 0) {
      throw new Error(`${target} exists and is no empty file: a block volume is published on one`, { cause: error });
    }
  }
}
