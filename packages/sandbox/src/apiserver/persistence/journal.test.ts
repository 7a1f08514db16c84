import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiObject } from '../objects.ts';
import { createStorage, type Storage } from '../storage.ts';
import { type Journal, openJournal } from './journal.ts';

let dir: string;
let path: string;
const opened: Journal[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'holdfast-journal-'));
  path = join(dir, 'objects.jsonl');
});
afterEach(async () => {
  close();
  await rm(dir, { recursive: true, force: true });
});

function close(): void {
  for (const journal of opened.splice(0)) journal.close();
}

/** As after a start of the server. */
function open(): Storage {
  close();
  const journal = openJournal(dir);
  opened.push(journal);
  return createStorage({ historySize: 100, ...journal });
}

function object(name: string, value: string): ApiObject {
  const metadata = { name, uid: name, resourceVersion: '', creationTimestamp: '2026-01-02T03:04:05Z' };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, value };
}

function stateOf(storage: Storage): unknown {
  return { revision: storage.revision, a: storage.list('/a'), b: storage.list('/b') };
}

describe('a journal', () => {
  it('has every change at the next start, and the revision of one that has gone', () => {
    const first = open();
    first.put('/a', object('x', '1'));
    first.put('/a', object('x', 'zwei\n"ü"'));
    first.put('/b', object('y', '1'));
    first.remove('/b', 'y');
    const second = open();
    expect(stateOf(second)).toEqual(stateOf(first));
    expect(second.revision).toBe(4);
    expect(second.compactedRevision).toBe(4);
    second.put('/a', object('z', '1'));
    expect(stateOf(open())).toEqual(stateOf(second));
  });

  it('is for its owner alone', async () => {
    open();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('begins anew at each start, without what has been overwritten', async () => {
    const storage = open();
    for (let count = 0; count < 50; count++) storage.put('/a', object('x', String(count)));
    open();
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(3);
  });

  it('gives back a state that was, and all but what was cut off, wherever it is cut', async () => {
    const change = fc.record({
      resource: fc.constantFrom('/a', '/b'),
      name: fc.constantFrom('x', 'y', 'z'),
      value: fc.option(fc.string(), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 20 }), fc.nat(), async (changes, cut) => {
        await rm(path, { force: true });
        const storage = open();
        const states = [{ sizeBytes: (await stat(path)).size, state: stateOf(storage) }];
        for (const { resource, name, value } of changes) {
          if (value === undefined) storage.remove(resource, name);
          else storage.put(resource, object(name, value));
          states.push({ sizeBytes: (await stat(path)).size, state: stateOf(storage) });
        }
        const [first, last] = [states[0]?.sizeBytes ?? 0, states.at(-1)?.sizeBytes ?? 0];
        const sizeBytes = first + (cut % (last - first + 1));
        close();
        await truncate(path, sizeBytes);
        const whole = states.findLast((state) => state.sizeBytes <= sizeBytes);
        expect(stateOf(open())).toEqual(whole?.state);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['is no JSON', 'x', /it is no JSON/],
    ['is something else', '{"a":1}', /resource/],
    ['leaves a revision out', JSON.stringify({ revision: 9, resource: '/a', removed: 'x' }), /change 9 follows 1/],
    ['removes what was not there', JSON.stringify({ revision: 2, resource: '/a', removed: 'y' }), /\/a y is removed/],
    ['holds no object', JSON.stringify({ revision: 2, resource: '/a', object: { kind: 'X' } }), /is no object/],
  ])('says which line of which file %s, and what to do', async (_, line, why) => {
    open().put('/a', object('x', '1'));
    close();
    const before = `${await readFile(path, 'utf8')}${line}\n`;
    await writeFile(path, before);
    expect(open).toThrow(why);
    expect(open).toThrow(`line 3 of ${path} is damaged`);
    expect(open).toThrow(`remove ${dir} to begin with an empty cluster`);
    expect(await readFile(path, 'utf8')).toBe(before);
  });

  it('is not taken for a file of another kind', async () => {
    await writeFile(path, '{"apiVersion":"v1"}\n');
    expect(open).toThrow(`line 1 of ${path} is damaged (it does not begin with "holdfast-sandbox-objects/1")`);
  });

  it('leaves the state as it is when a change cannot be kept', () => {
    const storage = createStorage({
      historySize: 100,
      keep() {
        throw new Error('the disk is full');
      },
    });
    expect(() => storage.put('/a', object('x', '1'))).toThrow('the disk is full');
    expect([storage.revision, storage.list('/a')]).toEqual([0, []]);
  });
});
