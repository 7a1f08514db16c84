import type { Comparison } from './compare.ts';
import type { Unit } from './measurement.ts';
import type { Spread } from './statistics.ts';

interface Row {
  readonly figure: string;
  readonly ours: string;
  readonly theirs: string;
  readonly ratio: string;
  readonly verdict: string;
}

/** Sections in order, each as a Markdown table whose columns line up also where nobody renders it. */
export function renderTables(comparisons: readonly Comparison[], headingLevel: number): string {
  const sections = Map.groupBy(comparisons, ({ section }) => section);
  return [...sections]
    .map(([section, rows]) => `${'#'.repeat(headingLevel)} ${section}\n\n${renderTable(rows.map(toRow))}`)
    .join('\n');
}

function toRow({ name, unit, ours, theirs, ratio, verdict }: Comparison): Row {
  return {
    figure: `${name} [${unit}]`,
    ours: spreadText(ours, unit),
    theirs: spreadText(theirs, unit),
    ratio: ratio === undefined ? '' : ratio.toFixed(2),
    verdict,
  };
}

function renderTable(rows: readonly Row[]): string {
  const head: Row = { figure: '', ours: 'ours', theirs: 'theirs', ratio: 'ratio', verdict: 'ours is' };
  const columns = ['figure', 'ours', 'theirs', 'ratio', 'verdict'] as const;
  const widths = columns.map((column) => Math.max(3, ...[head, ...rows].map((row) => row[column].length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`;
  const rule = line(widths.map((width) => '-'.repeat(width)));
  const body = [head, ...rows].map((row) => line(columns.map((column) => row[column])));
  return `${[...body.slice(0, 1), rule, ...body.slice(1)].join('\n')}\n`;
}

/** `min / median / max`, or the one value that all runs had. */
export function spreadText(spread: Spread | undefined, unit: Unit): string {
  if (spread === undefined) return '–';
  const texts = [spread.min, spread.median, spread.max].map((value) => numberText(value, unit));
  return new Set(texts).size === 1 ? texts.slice(0, 1).join('') : texts.join(' / ');
}

function numberText(value: number, unit: Unit): string {
  if (unit === 'per object' || unit === 's') return value.toFixed(2);
  const digits = unit === 'KiB' || value >= 100 ? 0 : 1;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
