import { open } from 'node:fs/promises';
import { runCommand } from './command.ts';
import { blockDeviceSizeBytes, isBusy } from './loop-devices.ts';

/** What is on a block device. Only `blank` may be formatted. */
export type DeviceContent =
  | { readonly kind: 'blank' }
  | { readonly kind: 'fileSystem'; readonly fsType: string }
  | { readonly kind: 'partitions'; readonly tableType: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * Looks at a device without believing in silence: blkid answers "nothing found" (2) also where it could not read or could
 * not decide, so a device is blank only when blkid finds nothing, nobody else has it, and its first and last MiB are zero.
 */
export async function probeDevice(device: string): Promise<DeviceContent> {
  const probe = await runCommand('blkid', ['-p', '-s', 'TYPE', '-s', 'PTTYPE', '-o', 'export', device], {
    okExitCodes: [0, 2, 8],
  });
  const content = interpretBlkid(probe.exitCode, probe.stdout);
  if (content.kind !== 'blank') return content;
  if (await isBusy(device)) return { kind: 'unknown', reason: 'another process has it open exclusively' };
  if (!(await hasZeroEnds(device))) {
    return { kind: 'unknown', reason: 'no known file system, yet its first or last MiB is not zero' };
  }
  return content;
}

/** blkid(8): 0 found, 2 nothing found, 8 ambivalent. */
export function interpretBlkid(exitCode: number, stdout: string): DeviceContent {
  if (exitCode === 8) return { kind: 'unknown', reason: 'signatures of several file systems' };
  const values = new Map(
    stdout.split('\n').flatMap((line) => {
      const at = line.indexOf('=');
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1).trim()] as const];
    }),
  );
  const fsType = values.get('TYPE');
  if (fsType !== undefined && fsType !== '') return { kind: 'fileSystem', fsType };
  const tableType = values.get('PTTYPE');
  if (tableType !== undefined && tableType !== '') return { kind: 'partitions', tableType };
  if (exitCode === 2 && stdout.trim() === '') return { kind: 'blank' };
  return { kind: 'unknown', reason: 'blkid found a signature without a type' };
}

const endBytes = 1024n * 1024n;

async function hasZeroEnds(device: string): Promise<boolean> {
  const sizeBytes = await blockDeviceSizeBytes(device);
  const length = Number(sizeBytes < endBytes ? sizeBytes : endBytes);
  const handle = await open(device, 'r');
  try {
    for (const position of [0n, sizeBytes - BigInt(length)]) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
      if (bytesRead !== length) return false;
      if (buffer.some((byte) => byte !== 0)) return false;
    }
    return true;
  } finally {
    await handle.close();
  }
}
