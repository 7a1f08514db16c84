import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findWritability } from './index.ts';

test('a folder can be written, and one that is gone cannot; each question is asked anew', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hf-writable-'));
  expect(await findWritability(folder)).toBe('writable');
  await rmdir(folder);
  await expect.poll(() => findWritability(folder)).toBe('refused');
});
