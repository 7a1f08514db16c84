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
  /**
   * Every record that can be read. For the one program that writes here: a record that it has read or written it does not read
   * again, because sums over all volumes are made for each new one. Which records there are, the folder says each time.
   */
  all(onBroken: (id: string, error: BrokenRecordError) => void): Promise<T[]>;
  /** Before a turn that follows another program's: what `all` remembers may have changed. */
  forget(): void;
  /** Removes what writes of this program that were cut short left behind. */
  removeTemporaryFiles(): Promise<void>;
}

const suffix = '.json';

/** One JSON file per record. It is read anew whenever somebody asks for it: controller and node may be two processes on one pool. */
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
  const known = new Map<string, T>();

  async function load(id: string): Promise<T | undefined> {
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
  }

  async function ids(): Promise<string[]> {
    const names = await readdir(folder);
    return names
      .filter((name) => name.endsWith(suffix))
      .map((name) => name.slice(0, -suffix.length))
      .toSorted();
  }

  /** After it the file holds the record or, cut short, either of the two: then it is read the next time. */
  async function save(id: string, record: T): Promise<void> {
    try {
      await writeFileDurably(fileOf(id), `${JSON.stringify(encode(record), undefined, 2)}\n`, writer);
      known.set(id, record);
    } catch (error) {
      known.delete(id);
      throw error;
    }
  }

  return {
    load,
    save,
    async remove(id) {
      known.delete(id);
      await removeFileDurably(fileOf(id));
      known.delete(id);
    },
    ids,
    async all(onBroken) {
      const found = await ids();
      const present = new Set(found);
      for (const id of known.keys()) if (!present.has(id)) known.delete(id);
      const unread = found.filter((id) => !known.has(id));
      const read = await Promise.all(unread.map((id) => loadOrTell(id, onBroken)));
      for (const [index, id] of unread.entries()) {
        const record = read[index];
        // What was written while this was read is newer.
        if (record !== undefined && !known.has(id)) known.set(id, record);
      }
      return found.flatMap((id) => known.get(id) ?? []);
    },
    forget: () => known.clear(),
    removeTemporaryFiles: () => removeTemporaryFiles(folder, writer),
  };

  async function loadOrTell(id: string, onBroken: (id: string, error: BrokenRecordError) => void) {
    try {
      return await load(id);
    } catch (error) {
      if (!(error instanceof BrokenRecordError)) throw error;
      onBroken(id, error);
      return undefined;
    }
  }
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
