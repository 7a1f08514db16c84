import type { Volume } from '@holdfast/driver-kit';
import { labelFileSystem, maxLabelLength, setReadAhead } from '@holdfast/mount';
import * as z from 'zod';

const maxReadAheadKiB = 65_536;

/** What of a disk can be changed while it is in use, by a VolumeAttributesClass. */
export const mutableParameters = z.object({
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
});

export async function tuneDevice(volume: Volume, device: string): Promise<void> {
  const { readAheadKiB } = volume.mutableParameters ?? {};
  if (readAheadKiB !== undefined) await setReadAhead(device, Number(readAheadKiB));
}

/** The file system must be mounted writable. A raw block volume has none, and its label waits for nothing. */
export async function tuneFileSystem(
  volume: Volume,
  mounted: { readonly device: string; readonly fsType: string; readonly mountPoint: string },
): Promise<void> {
  const { label } = volume.mutableParameters ?? {};
  if (label !== undefined) await labelFileSystem({ ...mounted, label });
}
