import { describe, expect, it } from 'vitest';
import { compare } from './compare.ts';
import type { Measurement } from './measurement.ts';

function measured(
  maker: Measurement['maker'],
  values: readonly number[],
  more: Partial<Measurement> = {},
): Measurement[] {
  return values.map((value, index) => ({
    section: 'attach',
    name: 'rate',
    unit: 'objects/s',
    maker,
    run: index + 1,
    value,
    ...more,
  }));
}

describe('compare', () => {
  it('takes least, middle and most of the runs of each, and the ratio of the middles', () => {
    const [comparison] = compare([...measured('ours', [20, 30, 10]), ...measured('upstream', [10, 11, 9])]);
    expect(comparison).toMatchObject({
      ours: { min: 10, median: 20, max: 30 },
      theirs: { min: 9, median: 10, max: 11 },
      ratio: 2,
    });
  });

  it.each([
    ['objects/s', 2, 1, 'faster'],
    ['events/s', 1, 2, 'slower'],
    ['ms', 2, 1, 'slower'],
    ['ms', 1, 2, 'faster'],
    ['KiB', 2, 1, 'more'],
    ['s', 1, 2, 'less'],
    ['per object', 1, 3, 'less'],
    ['ms', 104, 100, 'alike'],
    ['ms', 106, 100, 'slower'],
    ['per object', 0, 0, 'alike'],
  ] as const)('in %s, %d against %d is %s', (unit, ours, theirs, verdict) => {
    const [comparison] = compare([...measured('ours', [ours], { unit }), ...measured('upstream', [theirs], { unit })]);
    expect(comparison?.verdict).toBe(verdict);
  });

  it('counts a kind of write that a maker never made as none, and only in sections it ran', () => {
    const write = { name: 'csi-attacher: patch persistentvolumes', unit: 'per object' } as const;
    const [, patches] = compare([
      ...measured('ours', [5, 5]),
      ...measured('upstream', [1], write),
      ...measured('upstream', [5, 5]),
    ]);
    expect(patches).toMatchObject({ ours: { median: 0 }, theirs: { min: 0, median: 0.5, max: 1 }, ratio: 0 });
    const [alone] = compare(measured('upstream', [1], write));
    expect(alone).toMatchObject({ ours: undefined, ratio: undefined, verdict: '' });
  });

  it('has no ratio to nothing', () => {
    const unit = 'per object';
    const [comparison] = compare([...measured('ours', [1], { unit }), ...measured('upstream', [0], { unit })]);
    expect(comparison).toMatchObject({ ratio: undefined, verdict: 'more' });
  });

  it('keeps figures of different sections apart, in the order they came', () => {
    const found = compare([...measured('ours', [1]), ...measured('ours', [2], { section: 'detach' })]);
    expect(found.map(({ section, ours }) => [section, ours?.median])).toEqual([
      ['attach', 1],
      ['detach', 2],
    ]);
  });
});
