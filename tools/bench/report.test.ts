import { describe, expect, it } from 'vitest';
import type { Comparison } from './compare.ts';
import type { Conditions } from './conditions.ts';
import { behind, renderPage } from './report.ts';
import { renderTables, spreadText } from './tables.ts';

const one = (value: number) => ({ min: value, median: value, max: value });

function comparison(fields: Partial<Comparison>): Comparison {
  return {
    section: 'attach, 50 objects',
    name: 'CPU',
    unit: 's',
    ours: one(2),
    theirs: one(1),
    ratio: 2,
    verdict: 'more',
    ...fields,
  };
}

const conditions: Conditions = {
  date: '2026-01-02',
  commit: '0123456789ab',
  cores: 2,
  processor: 'a processor, x64',
  memoryMiB: 8192,
  kernel: '6.1.0',
  node: '24.0.0',
  holdfast: '0.1.0',
  upstream: { 'csi-attacher': 'v4' },
  runs: 3,
  driver: 'volumes in a map',
  nodeFlags: ['--max-semi-space-size=4'],
};

describe('spreadText', () => {
  it.each([
    [{ min: 1, median: 2, max: 3 }, 'ms', '1.0 / 2.0 / 3.0'],
    [{ min: 1, median: 1, max: 1 }, 'per object', '1.00'],
    [{ min: 99.96, median: 100.4, max: 1234.5 }, 'objects/s', '100.0 / 100 / 1,235'],
    [{ min: 1024, median: 1024, max: 1024 }, 'KiB', '1,024'],
    [undefined, 's', '–'],
  ] as const)('%j in %s is %s', (spread, unit, text) => {
    expect(spreadText(spread, unit)).toBe(text);
  });
});

describe('renderTables', () => {
  it('is a table of Markdown for each section, with its columns in line', () => {
    const text = renderTables(
      [
        comparison({}),
        comparison({
          section: 'detach',
          name: 'rate of it',
          unit: 'objects/s',
          theirs: undefined,
          ratio: undefined,
          verdict: '',
        }),
      ],
      3,
    );
    expect(text).toBe(
      [
        '### attach, 50 objects',
        '',
        '|         | ours | theirs | ratio | ours is |',
        '| ------- | ---- | ------ | ----- | ------- |',
        '| CPU [s] | 2.00 | 1.00   | 2.00  | more    |',
        '',
        '### detach',
        '',
        '|                        | ours | theirs | ratio | ours is |',
        '| ---------------------- | ---- | ------ | ----- | ------- |',
        '| rate of it [objects/s] | 2.0  | –      |       |         |',
        '',
      ].join('\n'),
    );
  });
});

describe('behind', () => {
  it('lists what is worse with us, the worst first', () => {
    const found = behind([
      comparison({ name: 'memory', ratio: 1.5 }),
      comparison({ name: 'rate', unit: 'objects/s', ratio: 0.25, verdict: 'slower' }),
      comparison({ name: 'better', ratio: 0.5, verdict: 'less' }),
      comparison({ name: 'latency', unit: 'ms', ratio: 3, verdict: 'slower' }),
      comparison({ name: 'new', ratio: undefined }),
    ]);
    expect(found.map(({ name }) => name)).toEqual(['new', 'rate', 'latency', 'memory']);
  });
});

describe('renderPage', () => {
  it('says under which conditions, and where we are behind', () => {
    const page = renderPage([comparison({})], conditions);
    expect(page).toContain('2026-01-02, commit 0123456789ab, 3 runs');
    expect(page).toContain('2 cores (a processor, x64), 8,192 MiB, Linux 6.1.0');
    expect(page).toContain('Holdfast 0.1.0 on Node 24.0.0 --max-semi-space-size=4;');
    expect(page).toContain('- more, 2.00 times: CPU (attach, 50 objects): 2.00 against 1.00 s');
    expect(page).toContain('## attach, 50 objects');
  });

  it('does not hide behind an empty list', () => {
    expect(renderPage([comparison({ verdict: 'less' })], conditions)).toContain('In nothing that was measured.');
  });
});
