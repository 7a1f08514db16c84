import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { createFakeClock } from './testing/index.ts';

describe('systemClock', () => {
  it('sleeps and moves on', async () => {
    const before = systemClock.monotonicMs();
    await systemClock.sleep(2);
    expect(systemClock.monotonicMs()).toBeGreaterThan(before);
  });

  it('wakes with the reason of its signal and leaves no listener', async () => {
    const controller = new AbortController();
    const sleeping = systemClock.sleep(60_000, controller.signal);
    controller.abort(new Error('up'));
    await expect(sleeping).rejects.toThrow('up');
    await expect(systemClock.sleep(1, controller.signal)).rejects.toThrow('up');
    const other = new AbortController();
    await systemClock.sleep(0, other.signal);
    expect(getEventListeners(other.signal, 'abort')).toHaveLength(0);
  });

  it('does not fire a cancelled timer, nor one beyond 2^31 ms at once', async () => {
    const fired: string[] = [];
    systemClock.setTimer(0, () => fired.push('cancelled'))();
    const cancel = systemClock.setTimer(2 ** 31 + 1000, () => fired.push('far'));
    await new Promise((resolve) => {
      systemClock.setTimer(5, () => resolve(undefined));
    });
    cancel();
    expect(fired).toEqual([]);
  });
});

describe('createFakeClock', () => {
  it('fires in order of time and lets woken work set the next timer', async () => {
    const clock = createFakeClock(1_000);
    const seen: string[] = [];
    const loop = async (): Promise<void> => {
      for (let turn = 0; turn < 3; turn++) {
        await clock.sleep(10);
        seen.push(`loop at ${clock.nowMs()}`);
      }
    };
    clock.setTimer(15, () => seen.push('timer'));
    const looping = loop();
    await clock.advance(25);
    expect(seen).toEqual(['loop at 1010', 'timer', 'loop at 1020']);
    expect(clock.timers()).toBe(1);
    await clock.advance(5);
    await looping;
    expect(clock.monotonicMs()).toBe(30);
    expect(clock.timers()).toBe(0);
  });

  it('forgets cancelled timers and aborted sleeps', async () => {
    const clock = createFakeClock();
    const controller = new AbortController();
    clock.setTimer(1, () => expect.unreachable())();
    const sleeping = clock.sleep(1, controller.signal);
    controller.abort(new Error('stop'));
    await expect(sleeping).rejects.toThrow('stop');
    expect(clock.timers()).toBe(0);
    await clock.advance(10);
  });
});
