import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readEarlier } from './earlier.ts';
import type { Measurement } from './measurement.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hf-bench-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const figure = (section: string, value: number): Measurement => ({
  section,
  name: 'rate',
  unit: 'objects/s',
  maker: 'ours',
  run: 1,
  value,
});

describe('figures of an earlier run', () => {
  it('stand beside what is measured, and give way where the same is measured again', () => {
    const file = join(folder, 'earlier.json');
    writeFileSync(file, JSON.stringify({ conditions: {}, measurements: [figure('a', 1), figure('b', 2)] }));
    expect(readEarlier([file], [figure('b', 3)])).toEqual([figure('a', 1)]);
  });

  it.each([
    ['missing', undefined, 'cannot be read'],
    ['no JSON', '{', 'cannot be read'],
    ['something else', '{"measurements":[{}]}', 'is not what'],
  ])('of a file that is %s are an error that names it', (_, content, says) => {
    const file = join(folder, 'earlier.json');
    if (content !== undefined) writeFileSync(file, content);
    expect(() => readEarlier([file], [])).toThrow(`--with=${file} ${says}`);
  });
});
