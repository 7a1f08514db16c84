import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acceptedDifferences } from './accepted.ts';
import { differencesPage } from './differences-page.ts';

describe('docs/sandbox-differences.md', () => {
  it('is made of the accepted differences', () => {
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'sandbox-differences.md'), 'utf8');
    expect(page).toBe(differencesPage(acceptedDifferences));
  });
});
