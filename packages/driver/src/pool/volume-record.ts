import type { Volume } from '@holdfast/driver-kit';
import * as z from 'zod';

const stringMap = z.record(z.string(), z.string());

/**
 * What the pool knows of one volume. Written by the controller alone.
 *
 * `creating` is written before anything is made and `deleting` before anything is removed, so that whatever is in the pool has a
 * record that says what to do about it after a crash.
 */
export const volumeRecordSchema = z.object({
  version: z.literal(1),
  id: z.string().min(1),
  name: z.string().min(1),
  phase: z.enum(['creating', 'ready', 'deleting']),
  capacityBytes: z
    .string()
    .regex(/^[0-9]{1,19}$/)
    .transform((text) => BigInt(text)),
  parameters: stringMap,
  fsType: z.string(),
  topology: z.array(stringMap),
  attachments: z.array(z.object({ nodeId: z.string().min(1), isReadOnly: z.boolean() })),
});

export type VolumeRecord = z.output<typeof volumeRecordSchema>;

export function encodeVolumeRecord(record: VolumeRecord): unknown {
  return { ...record, capacityBytes: String(record.capacityBytes) };
}

export function volumeOf(record: VolumeRecord): Volume {
  const { id, name, capacityBytes, parameters, fsType, topology, attachments } = record;
  return { id, name, capacityBytes, parameters, fsType, topology, attachments, context: {} };
}
