import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Each row of each table, with the tests that its last column names. */
function rowsOf(page: string): { what: string; files: string[] }[] {
  return page.split(/^## /m).flatMap((section) => {
    const folder = /^Tests in `(.+)`\.$/m.exec(section)?.[1];
    if (folder === undefined) return [];
    const rows = section.split('\n').filter((line) => /^\| (?!what goes wrong|-)/.test(line));
    return rows.map((row) => {
      const cells = row.split('|').map((cell) => cell.trim());
      const names = [...(cells.at(-2) ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
      return { what: cells[1] ?? '', files: names.map((name) => join(folder, `${name}.test.ts`)) };
    });
  });
}

test('each fault in docs/faults.md names tests that there are', () => {
  const rows = rowsOf(readFileSync(join(root, 'docs/faults.md'), 'utf8'));
  expect(rows.length).toBeGreaterThan(40);
  for (const { what, files } of rows) {
    expect(files.length, what).toBeGreaterThan(0);
    for (const file of files) expect(existsSync(join(root, file)), file).toBe(true);
  }
});
