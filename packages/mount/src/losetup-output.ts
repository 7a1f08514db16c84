import type { DeviceNumber } from './mount-info.ts';

export interface LoopDevice {
  /** `/dev/loopN` */
  readonly device: string;
  readonly backingFile: string;
  readonly backingInode: bigint;
  readonly backingDevice: DeviceNumber;
  /** Detached by the kernel when its last user closes it. */
  readonly isAutoclear: boolean;
  readonly isDirectIo: boolean;
  readonly isReadOnly: boolean;
}

/** Parses `losetup --list --json`. Versions differ in whether numbers and booleans are JSON's own or text ("0", "1"). */
export function parseLosetup(text: string): LoopDevice[] {
  if (text.trim() === '') return [];
  const parsed: unknown = JSON.parse(text);
  if (!isRecord(parsed) || !Array.isArray(parsed.loopdevices)) throw unexpected(text);
  return parsed.loopdevices.flatMap((row: unknown) => parseRow(row) ?? []);
}

/** A device that is detached while losetup lists it has a name and nothing else: it is left out. */
function parseRow(row: unknown): LoopDevice | undefined {
  if (!isRecord(row)) throw unexpected(JSON.stringify(row));
  const numbers = /^\s*(\d+):(\d+)\s*$/.exec(textOf(row['back-maj:min']));
  const inode = textOf(row['back-ino']).trim();
  const device = textOf(row.name);
  if (!device.startsWith('/dev/')) throw unexpected(JSON.stringify(row));
  if (numbers === null || !/^\d+$/.test(inode)) return undefined;
  return {
    device,
    backingFile: textOf(row['back-file']),
    backingInode: BigInt(inode),
    backingDevice: { major: Number(numbers[1]), minor: Number(numbers[2]) },
    isAutoclear: isTrue(row.autoclear),
    isDirectIo: isTrue(row.dio),
    isReadOnly: isTrue(row.ro),
  };
}

function isTrue(value: unknown): boolean {
  return value === true || value === 1 || value === '1';
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unexpected(text: string): Error {
  return new Error(`unexpected answer of losetup --list --json: ${text.slice(0, 200)}`);
}
