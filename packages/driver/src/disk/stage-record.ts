import * as z from 'zod';
import { writerName } from '../pool/durable-file.ts';
import { createRecordStore, type RecordStore } from '../pool/record-store.ts';

/**
 * What the node plug-in knows of a volume's content. Written by the node alone.
 *
 * `formatting` is written before mkfs starts and `formatted` once it has ended, and only then is the volume mounted. So after a crash
 * "formatting" means that nothing can be lost, and a volume that is `formatted` is never formatted again.
 */
const stageRecordSchema = z.object({
  version: z.literal(1),
  fileSystem: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('formatting'), fsType: z.string() }),
    z.object({ kind: z.literal('formatted'), fsType: z.string() }),
  ]),
  /** Where it was staged last. */
  stagingPath: z.string(),
  /** Where a node of this machine that has lost the volume still had it mounted then: not this node's to count or to clear. */
  lostMounts: z.array(z.string()).optional(),
  /** The device size that the file system fills. */
  filledBytes: z
    .string()
    .regex(/^[0-9]{1,19}$/)
    .transform((text) => BigInt(text)),
});

export type StageRecord = z.output<typeof stageRecordSchema>;

export function createStageRecords(folder: string, nodeId: string): RecordStore<StageRecord> {
  return createRecordStore({
    folder,
    writer: writerName('node', nodeId),
    schema: stageRecordSchema,
    encode: (record) => ({ ...record, filledBytes: String(record.filledBytes) }),
  });
}
