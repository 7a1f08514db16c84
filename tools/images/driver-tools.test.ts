import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { driverTools } from './driver-tools.ts';

const packages = join(import.meta.dirname, '..', '..', 'packages');

/** What the sources of the driver and of its mount kit start, by the name they call it. */
function calledTools(): Set<string> {
  const called = new Set<string>();
  for (const folder of ['mount', 'driver']) {
    const source = join(packages, folder, 'src');
    for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts') || file.endsWith('.test.ts') || file.includes('testing/')) continue;
      const text = readFileSync(join(source, file), 'utf8');
      for (const [, name = ''] of text.matchAll(/\b(?:runCommand|commandLines|spawn)\(\s*'([^']+)'/g)) called.add(name);
    }
  }
  return called;
}

// Called by other means: by file systems' names, by flock, and by fsck.
const indirect = ['mkfs.btrfs', 'mkfs.ext3', 'mkfs.ext4', 'mkfs.xfs', 'cat', 'fsck.ext3', 'fsck.ext4'];

it('the driver image has the programs that its backends call, and no other', () => {
  const called = calledTools();
  expect(called.size).toBeGreaterThan(15);
  expect(Object.keys(driverTools).toSorted()).toEqual([...called, ...indirect].toSorted());
});
