import { createFakeClock } from '@holdfast/core/testing';
import type { PersistentVolumeClaim } from '@holdfast/kube';
import { expect, it } from 'vitest';
import { createFailureNotices } from './failure-notices.ts';

const MINUTE_MS = 60_000;

function claim(uid: string): PersistentVolumeClaim {
  const metadata = { name: 'data', namespace: 'ns', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
  return { metadata: { ...metadata, uid } };
}

it('a failure is news once, again when another came between, and every ten minutes while it lasts', async () => {
  const clock = createFakeClock();
  const { isNews } = createFailureNotices({ clock });
  const seen: boolean[] = [];
  for (const failure of ['a', 'a', 'b', 'b', 'a', 'a']) seen.push(isNews(claim('1'), failure));
  expect(seen).toEqual([true, false, true, false, true, false]);
  await clock.advance(10 * MINUTE_MS - 1);
  expect(isNews(claim('1'), 'a')).toBe(false);
  await clock.advance(1);
  expect(isNews(claim('1'), 'a')).toBe(true);
  expect(isNews(claim('1'), 'a')).toBe(false);
});

it('a claim made anew under the same name is told of its own failures, as is one that had succeeded', () => {
  const { isNews, forget } = createFailureNotices({ clock: createFakeClock() });
  expect(isNews(claim('1'), 'a')).toBe(true);
  expect(isNews(claim('2'), 'a')).toBe(true);
  expect(isNews(claim('2'), 'a')).toBe(false);
  forget('ns/data');
  expect(isNews(claim('2'), 'a')).toBe(true);
});
