import type { Volume } from '@holdfast/driver-kit';
import * as z from 'zod';

const stringMap = z.record(z.string(), z.string());

/** A size in a record: JSON has no numbers as large. */
export const bytes = z
  .string()
  .regex(/^[0-9]{1,19}$/)
  .transform((text) => BigInt(text));

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
  capacityBytes: bytes,
  parameters: stringMap,
  fsType: z.string(),
  topology: z.array(stringMap),
  attachments: z.array(z.object({ nodeId: z.string().min(1), isReadOnly: z.boolean() })),
  source: z.object({ kind: z.enum(['snapshot', 'volume']), id: z.string().min(1) }).optional(),
  /** What of it was shared with its source when it was made, and may come to need space of its own. */
  sharedBytes: bytes.optional(),
  mutableParameters: stringMap.optional(),
});

export type VolumeRecord = z.output<typeof volumeRecordSchema>;

export function encodeVolumeRecord(record: VolumeRecord): unknown {
  const { capacityBytes, sharedBytes } = record;
  return {
    ...record,
    capacityBytes: String(capacityBytes),
    ...(sharedBytes === undefined ? {} : { sharedBytes: String(sharedBytes) }),
  };
}

export function volumeOf(record: VolumeRecord): Volume {
  const { id, name, capacityBytes, parameters, fsType, topology, attachments, source, mutableParameters } = record;
  return {
    id,
    name,
    capacityBytes,
    parameters,
    fsType,
    topology,
    attachments,
    context: {},
    ...(source === undefined ? {} : { source }),
    ...(mutableParameters === undefined ? {} : { mutableParameters }),
  };
}
