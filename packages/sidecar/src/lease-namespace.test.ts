import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { leaseNamespace } from './lease-namespace.ts';

it('is the first of flag, POD_NAMESPACE, mounted namespace and default', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-ns-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'namespace');
  expect(await leaseNamespace('', {}, file)).toBe('default');
  await writeFile(file, 'mounted\n');
  expect(await leaseNamespace('', {}, file)).toBe('mounted');
  expect(await leaseNamespace('', { POD_NAMESPACE: 'env' }, file)).toBe('env');
  expect(await leaseNamespace('flag', { POD_NAMESPACE: 'env' }, file)).toBe('flag');
});
