import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MountEntry, mountsAt, mountsUnder, parseMountInfo, topMountAt } from './mount-info.ts';

function mangle(text: string): string {
  return text.replace(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function format(entry: MountEntry): string {
  return [
    entry.mountId,
    entry.parentId,
    `${entry.device.major}:${entry.device.minor}`,
    mangle(entry.root) + (entry.isRootDeleted ? '//deleted' : ''),
    mangle(entry.mountPoint),
    entry.options.join(','),
    ...entry.optionalFields,
    '-',
    entry.fsType,
    mangle(entry.source),
    entry.superOptions.join(','),
  ].join(' ');
}

const path = fc
  .array(
    fc.string({ unit: fc.constantFrom('a', 'ä', ' ', '\t', '\n', '\\', '0', '4', '-'), minLength: 1, maxLength: 8 }),
    { maxLength: 4 },
  )
  .map((parts) => `/${parts.join('/')}`);
const words = fc.array(fc.constantFrom('rw', 'ro', 'relatime', 'size=1', 'nosuid'), { minLength: 1, maxLength: 3 });
const entry: fc.Arbitrary<MountEntry> = fc.record({
  mountId: fc.nat(),
  parentId: fc.nat(),
  device: fc.record({ major: fc.nat(4095), minor: fc.nat(1_048_575) }),
  root: path,
  isRootDeleted: fc.boolean(),
  mountPoint: path,
  options: words,
  optionalFields: fc.array(fc.constantFrom('shared:1', 'master:2', 'propagate_from:3', 'unbindable'), { maxLength: 4 }),
  fsType: fc.constantFrom('ext4', 'fuse.s3fs', 'devtmpfs'),
  source: fc.constantFrom('/dev/loop0', 'none', 'host:/a b', 'tmpfs'),
  superOptions: words,
});

describe('parseMountInfo', () => {
  test('reads back every table the kernel can write', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 6 }), (entries) => {
        expect(parseMountInfo(entries.map((one) => `${format(one)}\n`).join(''))).toEqual(entries);
      }),
    );
  });

  test('reads a line with several optional fields, an escape and a removed source', () => {
    const [found] = parseMountInfo(
      '36 35 98:0 /mnt1//deleted /mnt\\0402 rw,noatime shared:1 master:1 - ext3 /dev/root rw,errors=continue\n',
    );
    expect(found).toEqual({
      mountId: 36,
      parentId: 35,
      device: { major: 98, minor: 0 },
      root: '/mnt1',
      isRootDeleted: true,
      mountPoint: '/mnt 2',
      options: ['rw', 'noatime'],
      optionalFields: ['shared:1', 'master:1'],
      fsType: 'ext3',
      source: '/dev/root',
      superOptions: ['rw', 'errors=continue'],
    });
  });

  test.each([
    '36 35 98:0 / /mnt rw',
    '36 35 98 / /mnt rw - ext4 /dev/a rw',
    'x 35 98:0 / /mnt rw - ext4 /dev/a rw',
    'no',
  ])('refuses %j and shows it', (line) => {
    expect(() => parseMountInfo(line)).toThrow(JSON.stringify(line));
  });

  test('takes a torn or foreign text as an error, never as a crash of another kind', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseMountInfo(text);
        } catch (error) {
          expect(error).toHaveProperty('name', 'MountInfoError');
        }
      }),
    );
  });
});

describe('stacked mounts', () => {
  const layer = (mountId: number, parentId: number, mountPoint = '/a'): MountEntry => ({
    mountId,
    parentId,
    device: { major: 7, minor: mountId },
    root: '/',
    isRootDeleted: false,
    mountPoint,
    options: ['rw'],
    optionalFields: [],
    fsType: 'ext4',
    source: `/dev/loop${mountId}`,
    superOptions: ['rw'],
  });

  test('the top is the layer that no other layer hangs on, in whatever order the lines come', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer(), (depth, seed) => {
        const layers = Array.from({ length: depth }, (_, index) => layer(100 - index, index === 0 ? 1 : 101 - index));
        const shuffled = layers
          .map((one, index) => ({ one, key: Math.sin(seed + index * 7919) }))
          .sort((a, b) => a.key - b.key);
        const lines = [layer(1, 1, '/'), ...shuffled.map(({ one }) => one), layer(200, 1, '/ab')];
        expect(mountsAt(lines, '/a')).toEqual(layers);
        expect(topMountAt(lines, '/a')).toEqual(layers.at(-1));
      }),
    );
  });

  test('a neighbour that shares the prefix is not below', () => {
    const lines = [layer(1, 1, '/a'), layer(2, 1, '/a/b'), layer(3, 1, '/ab')];
    expect(mountsUnder(lines, '/a').map((one) => one.mountPoint)).toEqual(['/a', '/a/b']);
    expect(topMountAt(lines, '/a/c')).toBeUndefined();
  });
});
