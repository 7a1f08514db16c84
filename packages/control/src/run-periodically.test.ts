import { createFakeClock } from '@holdfast/core/testing';
import { expect, it } from 'vitest';
import { runPeriodically } from './run-periodically.ts';

function start(isFirstAtOnce: boolean) {
  const clock = createFakeClock();
  const stopping = new AbortController();
  const rounds: number[] = [];
  const ended = runPeriodically({
    periodMs: 100,
    isFirstAtOnce,
    act: () => void rounds.push(clock.monotonicMs()),
    clock,
    signal: stopping.signal,
  });
  const startMs = clock.monotonicMs();
  return { clock, stopping, ended, rounds: () => rounds.map((ms) => ms - startMs) };
}

it('acts after each period until it is stopped', async () => {
  const { clock, stopping, ended, rounds } = start(false);
  await clock.advance(99);
  expect(rounds()).toEqual([]);
  await clock.advance(1);
  await clock.advance(100);
  expect(rounds()).toEqual([100, 200]);
  stopping.abort(new Error('stop'));
  await ended;
  await clock.advance(100);
  expect(rounds()).toEqual([100, 200]);
});

it('acts at once when asked to', async () => {
  const { clock, stopping, ended, rounds } = start(true);
  await clock.advance(100);
  expect(rounds()).toEqual([0, 100]);
  stopping.abort(new Error('stop'));
  await ended;
});
