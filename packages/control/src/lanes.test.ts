import { createFakeClock } from '@holdfast/core/testing';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { createLanes } from './lanes.ts';
import { createWorkQueue } from './work-queue.ts';

const never = new AbortController().signal;
const firstLetter = (key: string) => key.slice(0, 1);

function queueWith(maxPerLane: number, laneOf: (key: string) => string = firstLetter) {
  return createWorkQueue({
    name: 'q',
    baseMs: 1,
    maxMs: 1,
    clock: createFakeClock(),
    order: createLanes({ laneOf, maxPerLane }),
  });
}

it('lets the lanes take turns, each in the order its keys came', async () => {
  const queue = queueWith(10);
  for (const key of ['a1', 'a2', 'a3', 'b1', 'b2', 'a1']) queue.add(key);
  expect(queue.depth).toBe(5);
  const taken: unknown[] = [];
  while (queue.depth > 0) taken.push(await queue.get(never));
  expect(taken).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
});

it('holds a full lane back, and gives its next key when one of its own is done', async () => {
  const queue = queueWith(1);
  queue.add('a1');
  queue.add('a2');
  expect(await queue.get(never)).toBe('a1');
  const waiting = queue.get(never);
  // The one that waits for a2 takes what comes first in another lane.
  queue.add('b1');
  expect(await waiting).toBe('b1');
  const next = queue.get(never);
  queue.done('b1');
  queue.done('a1');
  expect(await next).toBe('a2');
});

it('moves a key that is of another lane when it is added again', async () => {
  const leaving = new Set<string>();
  const queue = queueWith(1, (key) => (leaving.has(key) ? 'detach' : 'attach'));
  for (const key of ['x', 'y', 'z']) queue.add(key);
  expect(await queue.get(never)).toBe('x');
  const waiting = queue.get(never);
  leaving.add('z');
  queue.add('z');
  expect(await waiting).toBe('z');
  expect(queue.depth).toBe(1);
  queue.done('z');
  queue.done('x');
  expect(await queue.get(never)).toBe('y');
  expect(queue.depth).toBe(0);
});

it('gives a key that was added while in work once more, in the lane that it is of by then', async () => {
  let lane = 'attach';
  const queue = queueWith(1, () => lane);
  queue.add('x');
  expect(await queue.get(never)).toBe('x');
  lane = 'detach';
  queue.add('x');
  expect(queue.depth).toBe(0);
  queue.done('x');
  expect(await queue.get(never)).toBe('x');
});

it('whatever comes, loses no key, gives none twice, and keeps to the limit of a lane', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), key: fc.constantFrom('a', 'b', 'c', 'd'), lane: fc.nat(2) }),
    fc.record({ kind: fc.constant('take' as const) }),
    fc.record({ kind: fc.constant('finish' as const), at: fc.nat(5) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), (steps, maxPerLane) => {
      const laneOf = new Map<string, string>();
      const order = createLanes({ laneOf: (key) => laneOf.get(key) ?? '', maxPerLane });
      const waiting = new Set<string>();
      const working = new Map<string, string>();
      const countIn = (lane: string) => [...working.values()].filter((each) => each === lane).length;
      for (const each of steps) {
        if (each.kind === 'push' && !working.has(each.key)) {
          laneOf.set(each.key, `lane-${each.lane}`);
          if (waiting.has(each.key)) order.pushedAgain?.(each.key);
          else order.push(each.key);
          waiting.add(each.key);
        } else if (each.kind === 'take') {
          const key = order.take();
          const isFree = [...waiting].some((one) => countIn(laneOf.get(one) ?? '') < maxPerLane);
          expect(key !== undefined).toBe(isFree);
          if (key !== undefined) {
            expect(waiting.delete(key)).toBe(true);
            working.set(key, laneOf.get(key) ?? '');
          }
        } else if (each.kind === 'finish') {
          const key = [...working.keys()][each.at];
          if (key !== undefined) {
            working.delete(key);
            order.finished?.(key);
          }
        }
        expect(order.length).toBe(waiting.size);
        for (const lane of new Set(working.values())) expect(countIn(lane)).toBeLessThanOrEqual(maxPerLane);
      }
    }),
  );
});
