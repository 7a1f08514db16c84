import { createFakeClock } from '@holdfast/core/testing';
import { expect, test } from 'vitest';
import { createTokenBucket } from './token-bucket.ts';

test('a caller that gives up returns its token', async () => {
  const clock = createFakeClock();
  const bucket = createTokenBucket({ qps: 1, burst: 1, clock });
  await bucket.take();
  const controller = new AbortController();
  const impatient = bucket.take(controller.signal);
  controller.abort(new Error('gone'));
  await expect(impatient).rejects.toThrow('gone');
  let isServed = false;
  const next = bucket.take().then(() => (isServed = true));
  await clock.advance(999);
  expect(isServed).toBe(false);
  await clock.advance(1);
  await next;
});

test('tokens do not pile up beyond the burst', async () => {
  const clock = createFakeClock();
  const bucket = createTokenBucket({ qps: 10, burst: 2, clock });
  await clock.advance(60_000);
  await bucket.take();
  await bucket.take();
  let isServed = false;
  const third = bucket.take().then(() => (isServed = true));
  await clock.advance(99);
  expect(isServed).toBe(false);
  await clock.advance(1);
  await third;
});
