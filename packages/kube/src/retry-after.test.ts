import { expect, test } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');

test.each([
  [undefined, undefined],
  ['0', 0],
  [' 12 ', 12_000],
  ['Thu, 01 Jan 2026 00:00:05 GMT', 5000],
  ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
  ['soon', undefined],
  ['-1', undefined],
])('Retry-After %j', (header, expected) => {
  expect(retryAfterMs(header, NOW_MS)).toBe(expected);
});
