import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isCollectionDue } from './small-heap.ts';

const MiB = 2 ** 20;

test.each([
  ['what the start left', { busyShare: 0.01, heapBytes: 20 * MiB, collectedBytes: 0 }, true],
  ['work under way', { busyShare: 0.2, heapBytes: 60 * MiB, collectedBytes: 15 * MiB }, false],
  ['a burst that is over', { busyShare: 0.01, heapBytes: 60 * MiB, collectedBytes: 15 * MiB }, true],
  ['little to gain', { busyShare: 0.01, heapBytes: 17 * MiB, collectedBytes: 15 * MiB }, false],
  [
    'little to gain for much to go through',
    { busyShare: 0.01, heapBytes: 110 * MiB, collectedBytes: 100 * MiB },
    false,
  ],
])('%s', (_, seen, expected) => {
  expect(isCollectionDue(seen)).toBe(expected);
});

const churn = `
  import { getHeapSpaceStatistics } from 'node:v8';
  let alive = [];
  for (let n = 0; n < 1_000_000; n += 1) {
    alive.push({ n, text: 'text ' + n });
    if (alive.length > 40_000) alive = [];
  }
  const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
  console.log(space.space_size);
`;

function youngGenerationAfterChurn(prelude: string): number {
  const script = `${prelude}\n${churn}`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }));
}

test('the young generation does not grow with what is allocated', () => {
  const module = JSON.stringify(join(import.meta.dirname, 'small-heap.ts'));
  const held = youngGenerationAfterChurn(`import { keepHeapSmall } from ${module}; keepHeapSmall();`);
  expect(held).toBeLessThanOrEqual(8 * MiB);
  expect(youngGenerationAfterChurn('')).toBeGreaterThan(16 * MiB);
});
