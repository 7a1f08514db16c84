import type { DeviceContent } from '@holdfast/mount';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideFormat } from './decide-format.ts';
import type { StageRecord } from './stage-record.ts';

const record = (kind: 'formatting' | 'formatted', fsType = 'ext4'): StageRecord => ({
  version: 1,
  fileSystem: { kind, fsType },
  stagingPath: '/s',
  filledBytes: 0n,
});
const blank: DeviceContent = { kind: 'blank' };
const ext4: DeviceContent = { kind: 'fileSystem', fsType: 'ext4' };

describe('decideFormat', () => {
  test.each([
    ['new and blank', undefined, blank, 'format'],
    ['new, filled by someone', undefined, ext4, 'use'],
    ['used before', record('formatted'), ext4, 'use'],
    ['mkfs was interrupted, nothing to see', record('formatting'), blank, 'formatAgain'],
    ['mkfs was interrupted half way', record('formatting'), { kind: 'unknown', reason: 'x' } as const, 'formatAgain'],
    ['mkfs had ended, its record had not', record('formatting'), ext4, 'formatAgain'],
    ['used before, blank now', record('formatted'), blank, 'refuse'],
    ['another file system', undefined, { kind: 'fileSystem', fsType: 'xfs' } as const, 'refuse'],
    ['partitions', undefined, { kind: 'partitions', tableType: 'gpt' } as const, 'refuse'],
  ])('%s', (_what, before, content, kind) => {
    expect(decideFormat(before, content, 'ext4', false).kind).toBe(kind);
  });

  test('formats only what is blank and was never formatted, or what was never finished; never what is read-only', () => {
    const content = fc.constantFrom<DeviceContent>(
      blank,
      ext4,
      { kind: 'partitions', tableType: 'dos' },
      { kind: 'unknown', reason: 'x' },
    );
    const before = fc.constantFrom(undefined, record('formatting'), record('formatted'), record('formatted', 'xfs'));
    fc.assert(
      fc.property(before, content, fc.boolean(), (state, found, isReadOnly) => {
        const { kind } = decideFormat(state, found, 'ext4', isReadOnly);
        if (kind === 'format') expect([state, found.kind, isReadOnly]).toEqual([undefined, 'blank', false]);
        if (kind === 'formatAgain') expect([state?.fileSystem.kind, isReadOnly]).toEqual(['formatting', false]);
        if (state?.fileSystem.kind === 'formatted') expect(['use', 'refuse']).toContain(kind);
      }),
    );
  });
});
