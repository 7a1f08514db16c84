// docs/differences.md and the table of deliberate differences say the same. Pure.
import type { Deliberate } from './deliberate.ts';

/** The rows under this heading are those that the swap test sees. */
export const heading = '## What a swap shows';

/** @returns one line for each thing that only one of them has */
export function docsDisagreements(markdown: string, table: readonly Deliberate[]): string[] {
  const rows = rowsBelow(markdown);
  const entries = new Set(table.map(({ row }) => row));
  return [
    ...[...entries].filter((row) => !rows.has(row)).map((row) => `docs/differences.md has no row "${row}"`),
    ...[...rows].filter((row) => !entries.has(row)).map((row) => `no difference is known for the row "${row}"`),
  ];
}

function rowsBelow(markdown: string): Set<string> {
  const [, section = ''] = markdown.split(`${heading}\n`);
  const [own = ''] = section.split('\n## ');
  const lines = own.split('\n').filter((line) => line.startsWith('|'));
  // The first two are the titles and the rule below them.
  return new Set(lines.slice(2).map((line) => line.split('|')[1]?.trim() ?? ''));
}
