import { expect, test } from 'vitest';
import { createRepairs } from './repairs.ts';

function setUp(limit: number) {
  const queued: string[] = [];
  return { queued, repairs: createRepairs({ limit, enqueue: (name) => queued.push(name) }) };
}

test('a few are queued at a time, each once, and the next when one was tried', () => {
  const { queued, repairs } = setUp(2);
  for (const name of ['a', 'b', 'c', 'a', 'd']) repairs.add(name);
  expect(queued).toEqual(['a', 'b']);
  repairs.tried('a', true);
  expect(queued).toEqual(['a', 'b', 'c']);
  expect(['a', 'b', 'c', 'd'].filter(repairs.has)).toEqual(['b', 'c', 'd']);
});

test('one that fails does not keep the others waiting, and is still to be repaired', () => {
  const { queued, repairs } = setUp(1);
  repairs.add('a');
  repairs.add('b');
  repairs.tried('a', false);
  expect(queued).toEqual(['a', 'b']);
  expect(repairs.has('a')).toBe(true);
  // The next round finds it as it was: the queue's back-off counts.
  repairs.add('a');
  expect(queued).toEqual(['a', 'b']);
});

test('one that is gone is no longer waited for', () => {
  const { queued, repairs } = setUp(1);
  for (const name of ['a', 'b', 'c']) repairs.add(name);
  repairs.forget('b');
  repairs.forget('a');
  expect(queued).toEqual(['a', 'c']);
  expect(repairs.has('a')).toBe(false);
});
