import { CommandError, runCommand } from './command.ts';
import { isBusy } from './loop-devices.ts';
import { probeDevice } from './probe.ts';

export const fileSystemTypes = ['ext4', 'ext3', 'xfs', 'btrfs'] as const;
export type FileSystemType = (typeof fileSystemTypes)[number];

export function isFileSystemType(text: string): text is FileSystemType {
  return (fileSystemTypes as readonly string[]).includes(text);
}

const mebibyte = 1024n * 1024n;

/**
 * The smallest device worth making. mkfs.xfs refuses less than 300 MiB. mkfs.btrfs takes 110, but the kernel then refuses to
 * grow the file system to anything below 256 (btrfs_ioctl_resize), so a smaller one could be stuck. ext needs a journal.
 */
export function minimumSizeBytes(fsType: FileSystemType): bigint {
  switch (fsType) {
    case 'ext3':
    case 'ext4':
      return 4n * mebibyte;
    case 'xfs':
      return 300n * mebibyte;
    case 'btrfs':
      return 256n * mebibyte;
    default:
      return fsType satisfies never;
  }
}

/** The device holds something, or may hold something, that formatting would destroy. */
export class NotBlankError extends Error {
  constructor(device: string, what: string) {
    super(
      `${device} is not formatted, because it is not blank: ${what}. If it holds nothing of worth, clear it by hand with wipefs`,
    );
    this.name = 'NotBlankError';
  }
}

/** fsck found damage that it does not repair by itself. */
export class FileSystemDamagedError extends Error {
  constructor(device: string, fsType: string, output: string) {
    super(
      `the ${fsType} file system on ${device} is damaged and is not mounted; repair it by hand with fsck. fsck says: ${output}`,
    );
    this.name = 'FileSystemDamagedError';
  }
}

export interface FormatOptions {
  readonly device: string;
  readonly fsType: FileSystemType;
  /** Placed in front of our own. */
  readonly extraArgs?: readonly string[];
  /** Minutes on slow disks. Default 110 000: kubelet gives a call 2 min, and an error in time is better than none. */
  readonly timeoutMs?: number;
}

/**
 * Formats a device that is proven blank.
 * @throws {NotBlankError} when it is not.
 */
export async function formatBlankDevice(options: FormatOptions): Promise<void> {
  const content = await probeDevice(options.device);
  switch (content.kind) {
    case 'blank':
      return makeFileSystem(options);
    case 'fileSystem':
      throw new NotBlankError(options.device, `it holds a file system of type ${content.fsType}`);
    case 'partitions':
      throw new NotBlankError(options.device, `it holds a partition table of type ${content.tableType}`);
    case 'unknown':
      throw new NotBlankError(options.device, content.reason);
    default:
      return content satisfies never;
  }
}

/**
 * Formats without looking. Only for a device on which the caller's own record says that an earlier format was begun, never
 * ended, and nothing was mounted since.
 */
export async function formatAgain(options: FormatOptions): Promise<void> {
  if (await isBusy(options.device)) {
    throw new NotBlankError(options.device, 'another process has it open: an earlier format may still be running');
  }
  return makeFileSystem(options);
}

async function makeFileSystem(options: FormatOptions): Promise<void> {
  const { device, fsType, extraArgs = [], timeoutMs = 110_000 } = options;
  await runCommand(`mkfs.${fsType}`, [...extraArgs, ...forceArgs(fsType), device], { timeoutMs });
}

function forceArgs(fsType: FileSystemType): string[] {
  switch (fsType) {
    case 'ext3':
    case 'ext4':
      // -F: do not ask; -m0: keep no blocks back for root, the volume's owner is to have them all.
      return ['-F', '-m0'];
    case 'xfs':
    case 'btrfs':
      return ['-f'];
    default:
      return fsType satisfies never;
  }
}

/**
 * `fsck -a` before a writable mount: 0 clean, 1 corrected, 4 damage left (refused). xfs and btrfs have no such step: they
 * replay their log when mounted.
 */
export async function checkFileSystem(device: string, fsType: string): Promise<{ readonly isCorrected: boolean }> {
  if (fsType !== 'ext4' && fsType !== 'ext3') return { isCorrected: false };
  try {
    const { exitCode } = await runCommand('fsck', ['-a', device], { timeoutMs: 110_000, okExitCodes: [0, 1] });
    return { isCorrected: exitCode === 1 };
  } catch (error) {
    if (error instanceof CommandError && error.failure.kind === 'exit' && (error.failure.exitCode & 4) !== 0) {
      throw new FileSystemDamagedError(device, fsType, error.failure.output || 'no message');
    }
    // 8 and above: fsck itself could not run. Whether the file system is sound, the mount decides.
    if (error instanceof CommandError && error.failure.kind === 'exit') return { isCorrected: false };
    throw error;
  }
}

/** The kernel refused to grow a file system while it is mounted. It can still be grown before its next mount. */
export class OnlineGrowthRefusedError extends Error {
  constructor(device: string, cause: CommandError) {
    super(
      `the file system on ${device} cannot be grown while it is mounted, because this process lacks CAP_SYS_RESOURCE: ` +
        'give the driver that capability, or stop what uses the volume; it is grown before it is mounted again',
      { cause },
    );
    this.name = 'OnlineGrowthRefusedError';
  }
}

const growTimeoutMs = 110_000;

/**
 * Grows a mounted file system to its device. The same size again is success. xfs and btrfs grow only while mounted.
 * @throws {OnlineGrowthRefusedError} ext4 asks for CAP_SYS_RESOURCE (ext4_resize_begin), which a container may lack.
 */
export async function growFileSystem(options: { device: string; fsType: string; mountPoint: string }): Promise<void> {
  const { device, fsType, mountPoint } = options;
  switch (fsType) {
    case 'ext3':
    case 'ext4':
      try {
        await runCommand('resize2fs', [device], { timeoutMs: growTimeoutMs });
      } catch (error) {
        if (error instanceof CommandError && /Permission denied to resize/.test(error.message)) {
          throw new OnlineGrowthRefusedError(device, error);
        }
        throw error;
      }
      return;
    case 'xfs':
      await runCommand('xfs_growfs', ['-d', mountPoint], { timeoutMs: growTimeoutMs });
      return;
    case 'btrfs':
      await runCommand('btrfs', ['filesystem', 'resize', 'max', mountPoint], { timeoutMs: growTimeoutMs });
      return;
    default:
      throw new Error(`a file system of type ${fsType} cannot be grown here: ${fileSystemTypes.join(', ')} can`);
  }
}

/** Grows what can be grown before it is mounted: ext. resize2fs asks for a full check first. Others are left as they are. */
export async function growUnmountedFileSystem(options: { device: string; fsType: string }): Promise<void> {
  const { device, fsType } = options;
  if (fsType !== 'ext4' && fsType !== 'ext3') return;
  await runCommand('e2fsck', ['-f', '-p', device], { timeoutMs: growTimeoutMs, okExitCodes: [0, 1] });
  await runCommand('resize2fs', [device], { timeoutMs: growTimeoutMs });
}
