import { basename } from 'node:path';
import type { MountEntry } from '@holdfast/mount';

/** Whether a mount shows a loop device: its file system, or the device node itself (a block volume's target). */
export function showsDevice(entry: MountEntry, device: string): boolean {
  return isFileSystemOn(entry, device) || isDeviceNode(entry, basename(device));
}

/** The mount's source is compared, not its device number: btrfs reports a number of its own. */
export function isFileSystemOn(entry: MountEntry, device: string): boolean {
  return entry.source === device && !isNodeTree(entry);
}

function isDeviceNode(entry: MountEntry, name: string): boolean {
  return isNodeTree(entry) && (entry.root === `/${name}` || entry.root.endsWith(`/dev/${name}`));
}

/** Mounts that this backend makes are of loop devices; anything else at a target is not ours to unmount. */
export function isLoopMount(entry: MountEntry): boolean {
  return isNodeTree(entry) ? /\/loop\d+$/.test(entry.root) : /^\/dev\/loop\d+$/.test(entry.source);
}

// devtmpfs on a host, the tmpfs mounted at /dev in a container.
function isNodeTree(entry: MountEntry): boolean {
  return entry.fsType === 'devtmpfs' || entry.fsType === 'tmpfs';
}
