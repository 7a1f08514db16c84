import * as z from 'zod';
import { writerName } from './durable-file.ts';
import { createRecordStore, type RecordStore } from './record-store.ts';
import { encodeVolumeRecord, volumeRecordSchema } from './volume-record.ts';

const inlineRecordSchema = volumeRecordSchema.extend({
  /** Where its pod was to see it. */
  targetPath: z.string().min(1),
});

/** An inline volume's record: as any volume's, and written by the node it is on, which stands as its one attachment. */
export type InlineRecord = z.output<typeof inlineRecordSchema>;

export function createInlineRecords(folder: string, nodeId: string): RecordStore<InlineRecord> {
  return createRecordStore({
    folder,
    schema: inlineRecordSchema,
    encode: encodeVolumeRecord,
    writer: writerName('node', nodeId),
    idOf: (record) => record.id,
  });
}
