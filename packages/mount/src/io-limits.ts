import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isErrno } from './mount-point.ts';

/** Of one block device; not given: no limit. */
export interface IoLimits {
  readonly readBytesPerSecond?: bigint;
  readonly writeBytesPerSecond?: bigint;
  readonly readIops?: bigint;
  readonly writeIops?: bigint;
}

export class IoCgroupError extends Error {
  constructor(cgroup: string, reason: string) {
    super(
      `the cgroup ${cgroup} cannot limit block devices: ${reason}. It must be a folder of cgroup v2, not the root, whose parent has "io" in cgroup.subtree_control, on a kernel with CONFIG_BLK_DEV_THROTTLING`,
    );
    this.name = 'IoCgroupError';
  }
}

/** @throws {IoCgroupError} */
export async function requireIoCgroup(cgroup: string): Promise<void> {
  try {
    await readFile(join(cgroup, 'io.max'), 'utf8');
  } catch (error) {
    throw new IoCgroupError(cgroup, error instanceof Error ? error.message : String(error));
  }
}

/**
 * Limits what all processes of a cgroup together do to a device. What was there before is replaced: the kernel keeps limits by device
 * number, and the next image may get the same loop device.
 */
export async function limitIo(cgroup: string, device: string, limits: IoLimits): Promise<void> {
  const number = (await readFile(`/sys/class/block/${basename(device)}/dev`, 'utf8')).trim();
  try {
    await writeFile(join(cgroup, 'io.max'), ioMaxLine(number, limits));
  } catch (error) {
    // The device is gone, and its limits with it.
    if (isErrno(error, 'ENODEV')) return;
    throw new IoCgroupError(cgroup, error instanceof Error ? error.message : String(error));
  }
}

/** The kernel's Documentation/admin-guide/cgroup-v2, "io.max". */
export function ioMaxLine(deviceNumber: string, limits: IoLimits): string {
  const keys = [
    ['rbps', limits.readBytesPerSecond],
    ['wbps', limits.writeBytesPerSecond],
    ['riops', limits.readIops],
    ['wiops', limits.writeIops],
  ] as const;
  return [deviceNumber, ...keys.map(([key, limit]) => `${key}=${limit ?? 'max'}`)].join(' ');
}
