import { describe, expect, it } from 'vitest';
import { type Deliberate, judge } from './deliberate.ts';
import { docsDisagreements } from './deliberate-docs.ts';
import { recordingDifferences } from './observe/differences.ts';

const table: readonly Deliberate[] = [
  { row: 'finalizers', place: /\/finalizers\/a$/, ours: /^true$/, theirs: /^-$/ },
  { row: 'writes', place: /\/writes\/patch$/, isFewer: true },
  { row: 'races', place: /\/times$/, isSometimes: true },
];
const finalizer = { place: 'case/bound/finalizers/a', ours: 'true', theirs: '-' };

describe('differences', () => {
  it('are the leaves, and what only one has', () => {
    const ours = { a: { b: 1, c: {} }, d: 'x' };
    expect(recordingDifferences('m', ours, ours)).toEqual([]);
    expect(recordingDifferences('m', ours, { a: { b: 2 }, e: null })).toEqual([
      { place: 'm/a/b', ours: '1', theirs: '2' },
      { place: 'm/a/c', ours: '{}', theirs: '-' },
      { place: 'm/d', ours: '"x"', theirs: '-' },
      { place: 'm/e', ours: '-', theirs: 'null' },
    ]);
  });
});

describe('a difference', () => {
  it('is explained by place and by what either has', () => {
    expect(judge([finalizer], table).unexplained).toEqual([]);
    for (const other of [
      { ...finalizer, ours: '-', theirs: 'true' },
      { ...finalizer, place: 'case/bound/finalizers/b' },
    ]) {
      expect(judge([other], table).unexplained).toEqual([other]);
    }
  });

  it.each([
    ['1', '2', true],
    ['-', '1', true],
    ['2', '1', false],
    ['2', '-', false],
    ['10', '9', false],
    ['-', '"any"', true],
    ['"any"', '-', false],
  ])('of numbers is explained when ours is the smaller: %s and %s', (ours, theirs, isExplained) => {
    const { unexplained } = judge([{ place: 'case/writes/patch', ours, theirs }], table);
    expect(unexplained.length === 0).toBe(isExplained);
  });
});

it('an entry that explains nothing is told, unless it is about a race', () => {
  expect(judge([finalizer], table).unused.map(({ row }) => row)).toEqual(['writes']);
});

it('docs and table must have the same rows', () => {
  const docs = (...rows: string[]): string =>
    `# x\n\n## What a swap shows\n\n| what | why |\n| --- | --- |\n${rows.map((row) => `| ${row}   | y |\n`).join('')}\n## Other\n\n| else | z |\n`;
  expect(docsDisagreements(docs('finalizers', 'writes', 'races'), table)).toEqual([]);
  expect(docsDisagreements(docs('finalizers', 'races', 'more'), table)).toEqual([
    'docs/differences.md has no row "writes"',
    'no difference is known for the row "more"',
  ]);
});
