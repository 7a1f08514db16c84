import { createFakeClock } from '@holdfast/core/testing';
import { expect, it, vi } from 'vitest';
import { tellIfSlow } from './tell-if-slow.ts';

it('tells once when the work takes longer than a second, and nothing when it does not', async () => {
  const clock = createFakeClock();
  const tell = vi.fn();
  const { promise, resolve } = Promise.withResolvers<string>();
  const working = tellIfSlow(clock, tell, () => promise);
  await clock.advance(999);
  expect(tell).not.toHaveBeenCalled();
  await clock.advance(10_000);
  expect(tell).toHaveBeenCalledOnce();
  resolve('made');
  expect(await working).toBe('made');

  await expect(tellIfSlow(clock, tell, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(clock.timers()).toBe(0);
});
