import { plainVolume } from '@holdfast/driver-kit';
import { ioMaxLine } from '@holdfast/mount';
import { describe, expect, test } from 'vitest';
import { ioLimitsOf, mutableParametersFor } from './tuning.ts';

const volumeWith = (mutableParameters: Record<string, string>) => ({
  ...plainVolume({ id: 'v', name: 'v', capacityBytes: 1n }),
  mutableParameters,
});

describe('limits of a volume', () => {
  const known = mutableParametersFor('/sys/fs/cgroup/kubepods.slice');

  test.each([
    [{}, '7:3 rbps=max wbps=max riops=max wiops=max'],
    [{ readIops: '500', writeBytesPerSecond: '10Mi' }, '7:3 rbps=max wbps=10485760 riops=500 wiops=max'],
    [{ readBytesPerSecond: '1k', writeIops: 'max', label: 'x' }, '7:3 rbps=1000 wbps=max riops=max wiops=max'],
  ])('%j is "%s" in io.max', (given, line) => {
    expect(known.safeParse(given).success).toBe(true);
    expect(ioMaxLine('7:3', ioLimitsOf(volumeWith(given)))).toBe(line);
  });

  test.each(['0', '-5', 'fast', '', '1e99', '10MiB', ' 5'])('%j is no limit', (text) => {
    expect(known.safeParse({ readIops: text }).error?.issues[0]?.message).toMatch(/"max" or a quantity above 0/);
  });

  test('without a cgroup each is refused, and what needs none is not', () => {
    const none = mutableParametersFor('');
    expect(none.safeParse({ writeIops: '5' }).error?.issues[0]?.message).toMatch(/needs --io-cgroup/);
    expect(none.safeParse({ label: 'gold', readAheadKiB: '64' }).success).toBe(true);
  });
});
