import { expect, test } from 'vitest';
import { createPermits } from './permits.ts';

test('a waiter that gives up leaves its place to the next', async () => {
  const permits = createPermits(1);
  let finish: () => void = () => {};
  const first = permits.run(() => new Promise<void>((resolve) => (finish = resolve)));
  const controller = new AbortController();
  const second = permits.run(() => Promise.resolve('second'), controller.signal);
  const third = permits.run(() => Promise.resolve('third'));
  controller.abort(new Error('gone'));
  await expect(second).rejects.toThrow('gone');
  finish();
  await first;
  await expect(third).resolves.toBe('third');
  await expect(permits.run(() => Promise.resolve('fourth'))).resolves.toBe('fourth');
});

test('work that fails gives its permit back', async () => {
  const permits = createPermits(1);
  await expect(permits.run(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  await expect(permits.run(() => Promise.resolve('next'))).resolves.toBe('next');
});
