import { closeSync, fsyncSync, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '@holdfast/core';
import type { ApiObject } from '../objects.ts';
import { keyOf } from '../objects.ts';
import type { Change, StoredState } from '../storage.ts';
import { type Entry, readEntry, readHeader, writeEntry, writeHeader } from './journal-lines.ts';
import { readIfThere } from './read-if-there.ts';

/** Every change as one line, written before it takes effect. Begun anew at each start, with what then is there. */
export interface Journal {
  readonly restored: StoredState;
  /** Throws when the line cannot be written; the journal is then as it was before. */
  keep(change: Change): void;
  close(): void;
}

/**
 * Reads what an earlier run left and opens the file for this one. A line goes to the kernel before its change is answered, so the
 * end of the process loses none; the end of the machine may.
 */
export function openJournal(dir: string): Journal {
  const path = join(dir, 'objects.jsonl');
  const restored = restore(path, dir);
  const fresh = `${path}.new`;
  const file = openSync(fresh, 'w', 0o600);
  let lengthBytes = 0;
  const append = (text: string): void => {
    const bytes = Buffer.from(text);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, lengthBytes + at);
    } catch (error) {
      // Half a line in the middle would be taken for damage.
      ftruncateSync(file, lengthBytes);
      throw new Error(`cannot keep the change in ${path}: ${errorMessage(error)}`, { cause: error });
    }
    lengthBytes += bytes.length;
  };
  append(writeHeader(restored.revision));
  for (const { resource, object } of restored.objects) append(writeEntry({ resource, object }));
  fsyncSync(file);
  renameSync(fresh, path);
  return {
    restored,
    keep: ({ revision, resource, ...change }) => append(writeEntry({ revision, resource, ...change })),
    close: () => closeSync(file),
  };
}

function restore(path: string, dir: string): StoredState {
  const text = readIfThere(path);
  if (text === undefined) return { revision: 0, objects: [] };
  const lines = text.split('\n');
  // What is behind the last line's end was cut off with the process, before it was answered.
  lines.pop();
  let number = 1;
  try {
    let revision = readHeader(lines[0] ?? '');
    const objects = new Map<string, { resource: string; object: ApiObject }>();
    for (const line of lines.slice(1)) {
      number += 1;
      const entry = readEntry(line);
      if (entry.revision !== undefined) {
        if (entry.revision !== revision + 1) throw new Error(`change ${entry.revision} follows ${revision}`);
        revision = entry.revision;
      }
      apply(objects, entry);
    }
    return { revision, objects: [...objects.values()] };
  } catch (error) {
    throw new Error(
      `line ${number} of ${path} is damaged (${errorMessage(error)}): put back a copy of the file, or remove ${dir} to begin with an empty cluster`,
      { cause: error },
    );
  }
}

function apply(objects: Map<string, { resource: string; object: ApiObject }>, entry: Entry): void {
  const { resource } = entry;
  if (entry.object !== undefined) objects.set(`${resource} ${keyOf(entry.object)}`, { resource, object: entry.object });
  else if (!objects.delete(`${resource} ${entry.removed}`))
    throw new Error(`${resource} ${entry.removed} is removed and was not there`);
}
