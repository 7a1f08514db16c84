import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writerName } from './durable-file.ts';
import { pathInside } from './path-inside.ts';
import { BrokenRecordError, createRecordStore, type RecordStore } from './record-store.ts';
import { encodeVolumeRecord, type VolumeRecord, volumeRecordSchema } from './volume-record.ts';

let folder: string;
let store: RecordStore<VolumeRecord>;
const writer = writerName('controller');
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hf-records-'));
  store = createRecordStore({ folder, schema: volumeRecordSchema, encode: encodeVolumeRecord, writer });
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const record: fc.Arbitrary<VolumeRecord> = fc.record({
  version: fc.constant(1 as const),
  id: text,
  name: text,
  phase: fc.constantFrom('creating', 'ready', 'deleting'),
  capacityBytes: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  parameters: fc.dictionary(text, text, { noNullPrototype: true }).map((map) => ({ ...map })),
  fsType: fc.constantFrom('', 'ext4'),
  topology: fc.array(fc.constant({ 'topology.csi.holdfast/node': 'a' }), { maxLength: 2 }),
  attachments: fc.array(fc.record({ nodeId: text, isReadOnly: fc.boolean() }), { maxLength: 2 }),
});

describe('a record', () => {
  test('is read back as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(record, async (written) => {
        await store.save('v', written);
        expect(await store.load('v')).toEqual(written);
      }),
      { numRuns: 30 },
    );
    expect(await readdir(folder)).toEqual(['v.json']);
  });

  test.each(['', '{', 'null', '[]', '{"version":2}', '{"version":1,"id":"v"}', '\u0000'.repeat(100)])(
    'of garbage %j is an error that names the file and the remedy',
    async (content) => {
      await writeFile(join(folder, 'v.json'), content);
      const failure = await store.load('v').catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(BrokenRecordError);
      expect(String(failure)).toContain(join(folder, 'v.json'));
      expect(String(failure)).toContain('Restore it from a copy');
    },
  );

  test('under another name than its own is an error that tells whose it is', async () => {
    const checked = createRecordStore({
      folder,
      schema: volumeRecordSchema,
      encode: encodeVolumeRecord,
      writer,
      idOf: ({ id }) => id,
    });
    const [written] = fc.sample(record, 1);
    if (written === undefined) throw new Error('no sample');
    await checked.save('v', { ...written, id: 'w' });
    await expect(checked.load('v')).rejects.toThrow('it is the record of "w"');
    await checked.save('w', { ...written, id: 'w' });
    expect((await checked.load('w'))?.id).toBe('w');
  });

  test('any text on the disk is a record or a broken record, nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (content) => {
        await writeFile(join(folder, 'v.json'), content);
        const failure = await store.load('v').then(
          () => undefined,
          (error: unknown) => error,
        );
        if (failure !== undefined) expect(failure).toBeInstanceOf(BrokenRecordError);
      }),
      { numRuns: 50 },
    );
  });

  test('half written leaves the old one, and the half is cleared away', async () => {
    await writeFile(join(folder, 'v.json.controller.tmp'), '{"ver');
    expect(await store.load('v')).toBeUndefined();
    expect(await store.ids()).toEqual([]);
    await store.removeTemporaryFiles();
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('all records', () => {
  const [one] = fc.sample(record, 1);
  if (one === undefined) throw new Error('no sample');
  const as = (id: string): VolumeRecord => ({ ...one, id });
  const idsOf = async (broken: string[] = []) => (await store.all((id) => broken.push(id))).map(({ id }) => id);

  test('are those of the folder, whoever wrote or removed them', async () => {
    await store.save('a', as('a'));
    const other = createRecordStore({ folder, schema: volumeRecordSchema, encode: encodeVolumeRecord, writer });
    await other.save('b', as('b'));
    expect(await idsOf()).toEqual(['a', 'b']);
    await other.remove('a');
    await other.save('c', as('c'));
    expect(await idsOf()).toEqual(['b', 'c']);
  });

  test('are read once, and are what was written last', async () => {
    await store.save('a', as('a'));
    await store.save('b', as('b'));
    await idsOf();
    await store.save('a', { ...as('a'), phase: 'deleting' });
    // No program does this to a record in service: it tells whether the file was opened.
    await writeFile(join(folder, 'b.json'), 'not read again');
    const found = await store.all(() => undefined);
    expect(found.map(({ id, phase }) => [id, phase])).toEqual([
      ['a', 'deleting'],
      ['b', one.phase],
    ]);
    await expect(store.load('b')).rejects.toThrow(BrokenRecordError);
  });

  test('tell of a broken one each time, until it is mended', async () => {
    await store.save('a', as('a'));
    await writeFile(join(folder, 'b.json'), '{');
    for (const _ of [1, 2]) {
      const broken: string[] = [];
      expect(await idsOf(broken)).toEqual(['a']);
      expect(broken).toEqual(['b']);
    }
    await writeFile(join(folder, 'b.json'), JSON.stringify(encodeVolumeRecord(as('b'))));
    expect(await idsOf()).toEqual(['a', 'b']);
  });

  test('are not what could not be written', async () => {
    await store.save('a', as('a'));
    await rm(join(folder, 'a.json'));
    await mkdir(join(folder, 'a.json'));
    await expect(store.save('a', { ...as('a'), phase: 'deleting' })).rejects.toThrow();
    const broken: string[] = [];
    expect(await idsOf(broken)).toEqual([]);
    expect(broken).toEqual(['a']);
  });
});

test('no name leads out of its folder', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.constantFrom('..', '.', '../x', 'a/../../b', '/etc/passwd', 'a/b', 'a\0')),
      (name) => {
        let path: string | undefined;
        try {
          path = pathInside('/pool/volumes', name);
        } catch {
          return;
        }
        expect(path.startsWith('/pool/volumes/')).toBe(true);
        expect(path.slice('/pool/volumes/'.length)).not.toMatch(/^\.{0,2}$|\/./);
      },
    ),
  );
});
