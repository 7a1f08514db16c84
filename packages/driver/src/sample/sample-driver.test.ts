import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('the page that shows the sample shows what is compiled and run, in under 60 lines', async () => {
  const code = await readFile(join(import.meta.dirname, 'sample-driver.ts'), 'utf8');
  const page = await readFile(join(import.meta.dirname, '../../../../docs/write-a-driver.md'), 'utf8');
  expect(/```ts\n([^]*?)```/.exec(page)?.[1]).toBe(code);
  expect(code.trimEnd().split('\n').length).toBeLessThan(60);
});
