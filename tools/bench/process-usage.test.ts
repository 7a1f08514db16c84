import { describe, expect, it } from 'vitest';
import { parseCpuTicks, parseMemory } from './process-usage.ts';

describe('parseCpuTicks', () => {
  it('sums user and system time, of its children too', () => {
    const stat = '42 (csi) attacher (x) S 1 42 42 0 -1 4194304 9 8 7 6 100 20 3 4 20 0 11 0 12345 1 2';
    expect(parseCpuTicks(stat)).toBe(127);
  });

  it('refuses another text', () => {
    expect(() => parseCpuTicks('42 (csi) S 1')).toThrow('not the text of a /proc/PID/stat');
  });
});

describe('parseMemory', () => {
  it('reads the resident and the anonymous part', () => {
    const status = 'Name:\tnode\nVmPeak:\t  999 kB\nVmRSS:\t   81920 kB\nRssAnon:\t   40960 kB\nRssFile:\t 1 kB\n';
    expect(parseMemory(status)).toEqual({ residentKiB: 81_920, anonymousKiB: 40_960 });
  });

  it('says when a process has none left', () => {
    expect(() => parseMemory('Name:\tnode\nState:\tZ (zombie)\n')).toThrow('has no VmRSS');
  });
});
