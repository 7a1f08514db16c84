import { readdir, readFile } from 'node:fs/promises';
import { errorMessage } from '@holdfast/core';
import * as z from 'zod';
import { isMissing, removeFileDurably, removeTemporaryFiles, writeFileDurably } from './durable-file.ts';
import { pathInside } from './path-inside.ts';

/** A file that is there and cannot be understood. Its volume or snapshot is out of service; the others go on. */
export class BrokenRecordError extends Error {
  constructor(file: string, reason: string) {
    super(
      `${file} cannot be read: ${reason}. Restore it from a copy, or, when what it stands for is not wanted any more, remove the file and then the data by hand`,
    );
    this.name = 'BrokenRecordError';
  }
}

export interface RecordStore<T> {
  /** @throws BrokenRecordError */
  load(id: string): Promise<T | undefined>;
  save(id: string, record: T): Promise<void>;
  remove(id: string): Promise<void>;
  /** Sorted. Of what is there, readable or not. */
  ids(): Promise<string[]>;
  /** Removes what writes of this program that were cut short left behind. */
  removeTemporaryFiles(): Promise<void>;
}

const suffix = '.json';

/** One JSON file per record. Nothing is kept in memory: controller and node may be two processes on one pool. */
export function createRecordStore<T>(deps: {
  folder: string;
  schema: z.ZodType<T>;
  encode: (record: T) => unknown;
  /** See `writerName`. */
  writer: string;
  /** Where a record says whose it is: a file copied under another name would make two volumes share one content. */
  idOf?: (record: T) => string;
}): RecordStore<T> {
  const { folder, schema, encode, writer, idOf } = deps;
  const fileOf = (id: string): string => pathInside(folder, `${id}${suffix}`);

  return {
    async load(id) {
      const file = fileOf(id);
      let text: string;
      try {
        text = await readFile(file, 'utf8');
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw new BrokenRecordError(file, errorMessage(error));
      }
      const record = readRecord(file, schema, text);
      const named = idOf?.(record) ?? id;
      if (named !== id) throw new BrokenRecordError(file, `it is the record of ${JSON.stringify(named)}`);
      return record;
    },
    save: (id, record) => writeFileDurably(fileOf(id), `${JSON.stringify(encode(record), undefined, 2)}\n`, writer),
    remove: (id) => removeFileDurably(fileOf(id)),
    async ids() {
      const names = await readdir(folder);
      return names
        .filter((name) => name.endsWith(suffix))
        .map((name) => name.slice(0, -suffix.length))
        .toSorted();
    },
    removeTemporaryFiles: () => removeTemporaryFiles(folder, writer),
  };
}

function readRecord<T>(file: string, schema: z.ZodType<T>, text: string): T {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new BrokenRecordError(file, errorMessage(error));
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new BrokenRecordError(file, z.prettifyError(parsed.error).replaceAll('\n', ' '));
}
