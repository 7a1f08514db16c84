import { constants } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { createKeyedLock, systemClock } from '@holdfast/core';
import { CommandError, runCommand } from './command.ts';
import { isSameDevice, splitDeviceNumber } from './device-numbers.ts';
import { type LoopDevice, parseLosetup } from './losetup-output.ts';
import { isErrno } from './mount-point.ts';

export class LoopDeviceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LoopDeviceError';
  }
}

/** The kernel gives no more of them. */
export class NoLoopDeviceError extends Error {
  constructor(file: string, cause: CommandError) {
    super(
      `no loop device is free for ${file}: detach what nobody uses (losetup --list), raise the kernel's max_loop, or see that the host's /dev is here`,
      { cause },
    );
    this.name = 'NoLoopDeviceError';
  }
}

const columns = 'NAME,BACK-FILE,BACK-INO,BACK-MAJ:MIN,AUTOCLEAR,DIO,RO';

/** Every loop device that has a backing file. */
export async function listLoopDevices(): Promise<LoopDevice[]> {
  if (!(await hasAttachedLoop())) return [];
  const { stdout } = await runCommand('losetup', ['--list', '--json', '--output', columns]);
  return parseLosetup(stdout);
}

// sysfs answers "none at all" without a child process, also where util-linux or /dev/loop* are missing.
async function hasAttachedLoop(): Promise<boolean> {
  try {
    for (const name of await readdir('/sys/block')) {
      if (name.startsWith('loop') && (await isAttached(`/dev/${name}`))) return true;
    }
    return false;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

/**
 * The loop device over a file, found by the file's device and inode: the path shown by the kernel is cut at 64 bytes and
 * is that of whoever attached it, which may be another mount namespace. `among`: a list taken before, for many files at once.
 */
export async function findLoopDevice(file: string, among?: readonly LoopDevice[]): Promise<LoopDevice | undefined> {
  const found = await stat(file, { bigint: true });
  const device = splitDeviceNumber(found.dev);
  return (among ?? (await listLoopDevices()))
    .filter((loop) => loop.backingInode === found.ino && isSameDevice(loop.backingDevice, device))
    .toSorted((a, b) => loopNumber(a.device) - loopNumber(b.device))[0];
}

function loopNumber(device: string): number {
  return Number(/\d+$/.exec(device)?.[0] ?? 0);
}

export interface AttachOptions {
  readonly file: string;
  readonly isReadOnly?: boolean;
}

const attaching = createKeyedLock();

/** Attaches a file, or returns the device that already has it. */
export function attachLoopDevice(options: AttachOptions): Promise<LoopDevice> {
  return attaching.run(options.file, () => attachOnce(options));
}

async function attachOnce({ file, isReadOnly = false }: AttachOptions): Promise<LoopDevice> {
  const existing = await findLoopDevice(file);
  if (existing !== undefined) return requireMode(existing, file, isReadOnly);
  const args = ['--find', '--show', '--nooverlap', ...(isReadOnly ? ['--read-only'] : []), file];
  const made = await attachFree(file, args);
  // --nooverlap looks first and attaches then: another process can come between. The lower number stays, and ours, which
  // nobody has used yet, goes.
  const attached = await findLoopDevice(file);
  if (attached === undefined) throw new LoopDeviceError(`losetup reported success, yet no loop device has ${file}`);
  if (attached.device !== made) await detachLoopDevice(made);
  return requireMode(attached, file, isReadOnly);
}

async function attachFree(file: string, args: readonly string[]): Promise<string> {
  try {
    return (await runCommand('losetup', args)).stdout.trim();
  } catch (error) {
    if (error instanceof CommandError && /cannot find an unused loop device/.test(error.message)) {
      throw new NoLoopDeviceError(file, error);
    }
    throw error;
  }
}

function requireMode(loop: LoopDevice, file: string, isReadOnly: boolean): LoopDevice {
  if (loop.isReadOnly === isReadOnly) return loop;
  const [is, wanted] = isReadOnly ? ['writable', 'read-only'] : ['read-only', 'writable'];
  throw new LoopDeviceError(`${file} is attached ${is} at ${loop.device}, wanted ${wanted}: detach it first`);
}

/**
 * Detaches a device and waits until it is gone. `losetup --detach` answers success for a busy device too and leaves the
 * kernel to detach it later, so the answer is read from sysfs.
 * @throws {LoopDeviceError} when something still holds it.
 */
export async function detachLoopDevice(device: string, timeoutMs = 5_000): Promise<void> {
  if (!(await isAttached(device))) return;
  if (await isBusy(device)) throw new LoopDeviceError(`${device} is in use: unmount what is on it first`);
  const before = await backingFile(device);
  await runCommand('losetup', ['--detach', device]);
  const deadline = systemClock.monotonicMs() + timeoutMs;
  while ((await backingFile(device)) === before) {
    if (systemClock.monotonicMs() > deadline)
      throw new LoopDeviceError(`${device} is still attached to ${before}: something holds it open`);
    await systemClock.sleep(20);
  }
}

/** Whether somebody has mounted or claimed a block device, in whatever mount namespace: opening it O_EXCL then fails. */
export async function isBusy(device: string): Promise<boolean> {
  try {
    // Without O_CREAT, O_EXCL on a block device asks for a claim, open(2).
    const handle = await open(device, constants.O_RDONLY | constants.O_EXCL);
    await handle.close();
    return false;
  } catch (error) {
    if (isErrno(error, 'EBUSY')) return true;
    throw error;
  }
}

/** Makes the kernel take over the grown size of the backing file. */
export async function refreshLoopDevice(device: string): Promise<bigint> {
  await runCommand('losetup', ['--set-capacity', device]);
  return blockDeviceSizeBytes(device);
}

/** How much the kernel reads ahead of a sequential reader. Kept by the device until it is detached. */
export async function setReadAhead(device: string, kibibytes: number): Promise<void> {
  // --setra counts sectors of 512 bytes.
  await runCommand('blockdev', ['--setra', String(kibibytes * 2), device]);
}

/** Size of a block device as the kernel has it now. sysfs counts sectors of 512 bytes whatever the device's own. */
export async function blockDeviceSizeBytes(device: string): Promise<bigint> {
  const sectors = await readFile(`/sys/class/block/${basename(device)}/size`, 'utf8');
  return BigInt(sectors.trim()) * 512n;
}

export async function isAttached(device: string): Promise<boolean> {
  return (await backingFile(device)) !== undefined;
}

async function backingFile(device: string): Promise<string | undefined> {
  try {
    return (await readFile(`/sys/block/${basename(device)}/loop/backing_file`, 'utf8')).trimEnd();
  } catch (error) {
    // ENODEV: detached between the open and the read; kernfs_fop_read_iter answers so for an attribute that is gone.
    if (isErrno(error, 'ENOENT', 'ENXIO', 'ENODEV')) return undefined;
    throw error;
  }
}
