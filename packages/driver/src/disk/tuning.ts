import { parseBytes } from '@holdfast/core';
import type { Volume } from '@holdfast/driver-kit';
import { type IoLimits, labelFileSystem, limitIo, maxLabelLength, setReadAhead } from '@holdfast/mount';
import { rpcError } from '@holdfast/rpc';
import * as z from 'zod';

const maxReadAheadKiB = 65_536;

const cannotLimit =
  'cannot be limited by this driver: it needs --io-cgroup, the cgroup v2 folder that all pods are in, with the io controller';

/** What of a disk can be changed while it is in use, by a VolumeAttributesClass. */
export function mutableParametersFor(ioCgroup: string) {
  // Refused where it could not be kept, not promised.
  const limit = z
    .string()
    .refine(() => ioCgroup !== '', cannotLimit)
    .refine(
      (text) => text === noLimit || limitOf(text) !== undefined,
      'must be "max" or a quantity above 0, such as 500 or 10Mi',
    )
    .optional();
  return z.object({
    label: z
      .string()
      .regex(
        new RegExp(`^[A-Za-z0-9._-]{0,${maxLabelLength}}$`),
        `must be at most ${maxLabelLength} letters, digits, ".", "_" and "-"`,
      )
      .optional(),
    readAheadKiB: z
      .string()
      .regex(/^\d{1,6}$/, 'must be a whole number')
      .refine((text) => Number(text) <= maxReadAheadKiB, `must be at most ${maxReadAheadKiB}`)
      .optional(),
    readIops: limit,
    writeIops: limit,
    readBytesPerSecond: limit,
    writeBytesPerSecond: limit,
  });
}

const noLimit = 'max';
const limitKeys = ['readIops', 'writeIops', 'readBytesPerSecond', 'writeBytesPerSecond'] as const;

function limitOf(text: string): bigint | undefined {
  try {
    const limit = parseBytes(text);
    return limit > 0n ? limit : undefined;
  } catch {
    return undefined;
  }
}

export function ioLimitsOf(volume: Volume): IoLimits {
  const given = volume.mutableParameters ?? {};
  return Object.fromEntries(
    limitKeys.flatMap((key) => {
      const limit = given[key] === undefined ? undefined : limitOf(given[key]);
      return limit === undefined ? [] : [[key, limit] as const];
    }),
  );
}

/** @throws RpcError FailedPrecondition on a node that cannot limit what is to be limited */
export async function tuneDevice(volume: Volume, device: string, ioCgroup: string): Promise<void> {
  const { readAheadKiB } = volume.mutableParameters ?? {};
  if (readAheadKiB !== undefined) await setReadAhead(device, Number(readAheadKiB));
  const limits = ioLimitsOf(volume);
  if (ioCgroup !== '') await limitIo(ioCgroup, device, limits);
  else if (Object.keys(limits).length > 0) {
    throw rpcError(
      'FailedPrecondition',
      `volume ${volume.id} is to be limited (${Object.keys(limits).join(', ')}), and this node's driver has no --io-cgroup: give it one, or modify the volume`,
    );
  }
}

/** The file system must be mounted writable. A raw block volume has none, and its label waits for nothing. */
export async function tuneFileSystem(
  volume: Volume,
  mounted: { readonly device: string; readonly fsType: string; readonly mountPoint: string },
): Promise<void> {
  const { label } = volume.mutableParameters ?? {};
  if (label !== undefined) await labelFileSystem({ ...mounted, label });
}
