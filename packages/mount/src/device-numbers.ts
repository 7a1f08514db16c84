import { stat } from 'node:fs/promises';
import type { DeviceNumber } from './mount-info.ts';

/** Splits Linux' dev_t as glibc's gnu_dev_major and gnu_dev_minor do. */
export function splitDeviceNumber(dev: bigint): DeviceNumber {
  return {
    major: Number(((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n)),
    minor: Number((dev & 0xffn) | ((dev >> 12n) & 0xffffff00n)),
  };
}

export function isSameDevice(a: DeviceNumber, b: DeviceNumber): boolean {
  return a.major === b.major && a.minor === b.minor;
}

/** The device that a device node stands for, or undefined when the path is no block device. */
export async function blockDeviceNumber(path: string): Promise<DeviceNumber | undefined> {
  const found = await stat(path, { bigint: true });
  return found.isBlockDevice() ? splitDeviceNumber(found.rdev) : undefined;
}
