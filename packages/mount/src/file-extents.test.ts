import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CommandError } from './command.ts';
import { commandLines } from './command-lines.ts';
import { parseExtent } from './file-extents.ts';

test.each([
  // e2fsprogs 1.47 on ext4, xfs and btrfs.
  ['   0:       80..     103:  472433368.. 472433391:     24:         80:', [80n, 24n, 472433368n]],
  ['   1:      800..     807:  472433272.. 472433279:      8:  472434088: last', [800n, 8n, 472433272n]],
  ['   0:        0..     127:        192..       319:    128:             shared', [0n, 128n, 192n]],
  [
    '   0:        0..    2047:          0..         0:      0:             last,unknown_loc,delalloc,eof',
    [0n, 2048n, undefined],
  ],
  ['   0:        0..     255:      27520..     27775:    256:             encoded,shared', [0n, 256n, undefined]],
  ['   2:      808..     815:  472433280.. 472433287:      8:             last,unwritten', undefined],
  [' ext:     logical_offset:        physical_offset: length:   expected: flags:', undefined],
  ['File size of x 1: 0..1: 2..3: 4: is 1048576 (2048 blocks of 512 bytes)', undefined],
  ['Filesystem type is: ef53', undefined],
] as const)('%s', (line, expected) => {
  const [offset, size, address] = expected ?? [];
  expect(parseExtent(line)).toEqual(
    offset === undefined || size === undefined
      ? undefined
      : {
          offsetBytes: offset * 512n,
          sizeBytes: size * 512n,
          addressBytes: address === undefined ? undefined : address * 512n,
        },
  );
});

async function read(tool: string, args: readonly string[], limit = Number.POSITIVE_INFINITY, signal?: AbortSignal) {
  const lines: string[] = [];
  for await (const line of commandLines(tool, args, signal)) {
    lines.push(line);
    if (lines.length >= limit) break;
  }
  return lines;
}

test('a command is read line by line to its end, however much it says', async () => {
  const lines = await read('seq', ['1', '200000']);
  expect([lines.length, lines.at(-1)]).toEqual([200_000, '200000']);
});

test('who stops reading, or gives up, ends the command; a failure has its reason', async () => {
  expect(await read('yes', [], 3)).toEqual(['y', 'y', 'y']);
  const controller = new AbortController();
  const reading = read('yes', [], undefined, controller.signal);
  controller.abort(new Error('enough'));
  await expect(reading).rejects.toThrow('enough');
  await expect(read('cat', ['/no/such/file'])).rejects.toThrow(/No such file/);
  const missing = read(join(tmpdir(), 'no-such-tool'), []);
  await expect(missing).rejects.toBeInstanceOf(CommandError);
});
