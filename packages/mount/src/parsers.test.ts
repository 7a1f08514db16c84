import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitDeviceNumber } from './device-numbers.ts';
import { minimumSizeBytes } from './file-systems.ts';
import { parseLosetup } from './losetup-output.ts';
import { mountFlagsFor } from './mount.ts';
import { interpretBlkid } from './probe.ts';
import { hasCapability } from './process-capabilities.ts';
import { isServed } from './server-mounts.ts';
import { parseUsage } from './usage.ts';

describe('losetup --list --json', () => {
  const expected = {
    device: '/dev/loop3',
    backingFile: '/pool/a b.img',
    backingInode: 9979043n,
    backingDevice: { major: 254, minor: 0 },
    isAutoclear: true,
    isDirectIo: false,
    isReadOnly: true,
  };

  test('numbers and booleans as JSON', () => {
    const text = `{"loopdevices":[{"name":"/dev/loop3","back-file":"/pool/a b.img","back-ino":9979043,"back-maj:min":"     254:0  ","autoclear":true,"dio":false,"ro":true}]}`;
    expect(parseLosetup(text)).toEqual([expected]);
  });

  test('numbers and booleans as text, as older versions write them', () => {
    const text = `{"loopdevices":[{"name":"/dev/loop3","back-file":"/pool/a b.img","back-ino":"9979043","back-maj:min":"254:0","autoclear":"1","dio":"0","ro":"1"}]}`;
    expect(parseLosetup(text)).toEqual([expected]);
  });

  test('a device that goes away while it is listed is left out', () => {
    const text = `{"loopdevices":[{"name":"/dev/loop3","back-file":null,"back-ino":null,"back-maj:min":null,"autoclear":false,"dio":false,"ro":false}]}`;
    expect(parseLosetup(text)).toEqual([]);
  });

  test('nothing attached is an empty answer', () => {
    expect(parseLosetup('\n')).toEqual([]);
  });

  test.each(['{}', '{"loopdevices":[7]}', '{"loopdevices":[{"name":"loop0"}]}'])('refuses %s', (text) => {
    expect(() => parseLosetup(text)).toThrow('unexpected answer of losetup');
  });
});

describe('blkid', () => {
  test.each([
    [2, '', { kind: 'blank' }],
    [0, 'DEVNAME=/dev/loop0\nTYPE=xfs\n', { kind: 'fileSystem', fsType: 'xfs' }],
    [0, 'DEVNAME=/dev/loop0\nPTTYPE=gpt\n', { kind: 'partitions', tableType: 'gpt' }],
    [8, '', { kind: 'unknown', reason: 'signatures of several file systems' }],
    [0, 'DEVNAME=/dev/loop0\n', { kind: 'unknown', reason: 'blkid found a signature without a type' }],
  ])('exit %i, %j', (exitCode, stdout, expected) => {
    expect(interpretBlkid(exitCode, stdout)).toEqual(expected);
  });

  test('nothing but silence with exit 2 is ever blank', () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 2, 8), fc.string(), (exitCode, stdout) => {
        const isBlank = interpretBlkid(exitCode, stdout).kind === 'blank';
        expect(isBlank).toBe(exitCode === 2 && stdout.trim() === '');
      }),
    );
  });
});

describe('stat --file-system', () => {
  test('counts in fundamental blocks', () => {
    expect(parseUsage('4096 100 40 30 20 5\n')).toEqual({
      totalBytes: 409_600n,
      usedBytes: 245_760n,
      availableBytes: 122_880n,
      inodes: { total: 20n, used: 15n, available: 5n },
    });
  });

  test('leaves inodes out where the file system has none', () => {
    expect(parseUsage('4096 100 40 30 0 0\n')).not.toHaveProperty('inodes');
  });

  test.each(['', '1 2 3', '4096 100 40 30 20 x'])('refuses %j', (text) => {
    expect(() => parseUsage(text)).toThrow('unexpected answer of stat');
  });
});

test('xfs is mounted with nouuid, once; others as asked', () => {
  expect(mountFlagsFor('xfs', ['noatime'])).toEqual(['noatime', 'nouuid']);
  expect(mountFlagsFor('xfs', ['noatime,nouuid'])).toEqual(['noatime,nouuid']);
  expect(mountFlagsFor('ext4', ['noatime'])).toEqual(['noatime']);
});

test('device numbers split as glibc splits them', () => {
  expect(splitDeviceNumber(65024n)).toEqual({ major: 254, minor: 0 });
  expect(splitDeviceNumber(0x0000_1001_2233_4455n)).toEqual({ major: 4932, minor: 1_188_693 });
});

test('each file system has a floor', () => {
  expect(minimumSizeBytes('xfs')).toBe(314_572_800n);
  expect(minimumSizeBytes('btrfs')).toBe(268_435_456n);
  expect(minimumSizeBytes('ext4')).toBeLessThan(minimumSizeBytes('btrfs'));
});

test('capabilities are read from the effective set', () => {
  const status = (effective: string) =>
    `Name:\tnode\nCapPrm:\t000001ffffffffff\nCapEff:\t${effective}\nCapBnd:\t000001ffffffffff\n`;
  expect(hasCapability(status('000001ffffffffff'), 24n)).toBe(true);
  expect(hasCapability(status('000001fffeffffff'), 24n)).toBe(false);
  expect(hasCapability('', 24n)).toBe(false);
});

test.each([
  ['nfs', true],
  ['nfs4', true],
  ['fuse.sshfs', true],
  ['fuseblk', true],
  ['cifs', true],
  ['9p', true],
  ['ext4', false],
  ['overlay', false],
  ['tmpfs', false],
  // A file system of controls in the kernel, not one that somebody serves.
  ['fusectl', false],
  ['nfsd', false],
])('a mount of type %s waits for a server: %s', (fsType, expected) => {
  expect(isServed({ fsType })).toBe(expected);
});
