import { getEventListeners } from 'node:events';
import { createFakeClock } from '@holdfast/core/testing';
import * as fc from 'fast-check';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { createQueueMetrics } from './queue-metrics.ts';
import { createWorkQueue } from './work-queue.ts';

const never = new AbortController().signal;

function setUp() {
  const clock = createFakeClock();
  const registry = new Registry();
  const queue = createWorkQueue({
    name: 'q',
    baseMs: 1_000,
    maxMs: 300_000,
    clock,
    metrics: createQueueMetrics(registry),
  });
  const drain = async () => {
    const keys: string[] = [];
    while (queue.depth > 0) {
      const key = await queue.get(never);
      if (key === undefined) break;
      keys.push(key);
      queue.done(key);
    }
    return keys;
  };
  return { clock, registry, queue, drain };
}

describe('the three sets', () => {
  it('give keys in order, each once however often it was added', async () => {
    const { queue, drain } = setUp();
    for (const key of ['b', 'a', 'b', 'c', 'a']) queue.add(key);
    expect(queue.depth).toBe(3);
    expect(await drain()).toEqual(['b', 'a', 'c']);
  });

  it('hold back a key that is in work, and give it again when it is done', async () => {
    const { queue } = setUp();
    queue.add('a');
    expect(await queue.get(never)).toBe('a');
    queue.add('a');
    queue.add('a');
    expect(queue.depth).toBe(0);
    queue.done('a');
    expect(queue.depth).toBe(1);
    expect(await queue.get(never)).toBe('a');
    queue.done('a');
    expect(queue.depth).toBe(0);
  });

  it('wake one waiter per key', async () => {
    const { queue } = setUp();
    const first = queue.get(never);
    const second = queue.get(never);
    queue.add('a');
    queue.add('b');
    expect(await Promise.all([first, second])).toEqual(['a', 'b']);
  });

  it('listen once to a signal that they share, and not at all after the end', async () => {
    const { queue } = setUp();
    const { signal } = new AbortController();
    const waiting = [queue.get(signal), queue.get(signal), queue.get(signal)];
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    queue.shutDown();
    expect(await Promise.all(waiting)).toEqual([undefined, undefined, undefined]);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('go on waiting when the signal of others aborts', async () => {
    const { queue } = setUp();
    const abort = new AbortController();
    const ended = queue.get(abort.signal);
    const waiting = queue.get(new AbortController().signal);
    abort.abort();
    expect(await ended).toBeUndefined();
    queue.add('a');
    expect(await waiting).toBe('a');
  });

  it('do not lose a key whose waiter was aborted', async () => {
    const { queue } = setUp();
    const abort = new AbortController();
    const first = queue.get(abort.signal);
    const second = queue.get(never);
    queue.add('a');
    abort.abort();
    expect(await second).toBe('a');
    expect(await first).toBeUndefined();
  });

  it('keep their order through many keys', async () => {
    const { queue, drain } = setUp();
    const keys = Array.from({ length: 1_000 }, (_, index) => `k${index}`);
    for (const key of keys) queue.add(key);
    expect(await drain()).toEqual(keys);
  });
});

describe('delayed adds', () => {
  it('come when due, and of two deadlines at the earlier', async () => {
    const { clock, queue, drain } = setUp();
    queue.addAfter('a', 5_000);
    queue.addAfter('a', 2_000);
    queue.addAfter('a', 9_000);
    await clock.advance(1_999);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(await drain()).toEqual(['a']);
    await clock.advance(20_000);
    expect(queue.depth).toBe(0);
  });

  it('with no delay are adds', () => {
    const { queue } = setUp();
    queue.addAfter('a', 0);
    queue.addAfter('b', -5);
    expect(queue.depth).toBe(2);
  });

  it('back off per key: base, doubled, capped, until forgotten', async () => {
    const { clock, queue, drain } = setUp();
    const delays: number[] = [];
    for (let failure = 0; failure < 11; failure++) {
      queue.addRateLimited('a');
      let waitedMs = 0;
      while (queue.depth === 0) {
        await clock.advance(1_000);
        waitedMs += 1_000;
      }
      await drain();
      delays.push(waitedMs);
    }
    expect(delays.map((ms) => ms / 1_000)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    expect(queue.failures('a')).toBe(11);
    expect(queue.failures('b')).toBe(0);
    queue.forget('a');
    queue.addRateLimited('a');
    await clock.advance(1_000);
    expect(await drain()).toEqual(['a']);
  });
});

describe('shutting down', () => {
  it('hands out what is queued, drops what is delayed, takes no more, and frees every waiter', async () => {
    const { clock, queue } = setUp();
    queue.add('a');
    queue.addAfter('late', 10);
    queue.shutDown();
    queue.add('b');
    queue.addAfter('c', 0);
    expect(clock.timers()).toBe(0);
    expect(await queue.get(never)).toBe('a');
    expect(await queue.get(never)).toBeUndefined();
    const waiting = setUp().queue;
    const gets = [waiting.get(never), waiting.get(never)];
    waiting.shutDown();
    expect(await Promise.all(gets)).toEqual([undefined, undefined]);
  });
});

it("reports client-go's metrics", async () => {
  const { clock, registry, queue } = setUp();
  queue.add('a');
  queue.add('b');
  queue.addRateLimited('c');
  await clock.advance(500);
  await queue.get(never);
  await clock.advance(250);
  const text = await registry.metrics();
  expect(text).toContain('workqueue_depth{name="q"} 1\n');
  expect(text).toContain('workqueue_adds_total{name="q"} 2\n');
  expect(text).toContain('workqueue_retries_total{name="q"} 1\n');
  expect(text).toContain('workqueue_unfinished_work_seconds{name="q"} 0.25\n');
  expect(text).toContain('workqueue_longest_running_processor_seconds{name="q"} 0.25\n');
  expect(text).toContain('workqueue_queue_duration_seconds_sum{name="q"} 0.5\n');
  expect(text).toContain('workqueue_queue_duration_seconds_bucket{le="1e-8",name="q"} 0\n');
  queue.done('a');
  const after = await registry.metrics();
  expect(after).toContain('workqueue_work_duration_seconds_sum{name="q"} 0.25\n');
  expect(after).toContain('workqueue_unfinished_work_seconds{name="q"} 0\n');
});

it('never gives one key to two workers, and loses none, added now or later', async () => {
  const operation = fc.oneof(
    fc.record({ kind: fc.constantFrom('add' as const, 'limited' as const), key: fc.constantFrom('a', 'b', 'c', 'd') }),
    fc.record({ kind: fc.constant('after' as const), key: fc.constantFrom('a', 'b', 'c', 'd'), ms: fc.nat(3_000) }),
    fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(3_000) }),
    fc.record({ kind: fc.constant('finish' as const), which: fc.nat(3) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { maxLength: 40 }),
      fc.integer({ min: 1, max: 3 }),
      async (operations, workers) => {
        const clock = createFakeClock();
        const queue = createWorkQueue({ name: 'q', baseMs: 100, maxMs: 1_000, clock });
        const stop = new AbortController();
        const inWork = new Map<string, () => void>();
        // Keys added since a worker last took them up.
        const owed = new Set<string>();
        // Keys added with a delay, by the earliest time at which each is due.
        const waiting = new Map<string, number>();
        const wait = (key: string, delayMs: number) => {
          const dueMs = clock.monotonicMs() + delayMs;
          waiting.set(key, Math.min(dueMs, waiting.get(key) ?? dueMs));
        };
        const violations: string[] = [];

        async function work(): Promise<void> {
          for (let key = await queue.get(stop.signal); key !== undefined; key = await queue.get(stop.signal)) {
            if (inWork.has(key)) violations.push(`${key} is in work twice`);
            owed.delete(key);
            if ((waiting.get(key) ?? Number.POSITIVE_INFINITY) <= clock.monotonicMs()) waiting.delete(key);
            const { promise, resolve } = Promise.withResolvers<void>();
            inWork.set(key, resolve);
            await promise;
            inWork.delete(key);
            queue.done(key);
          }
        }
        const running = Array.from({ length: workers }, work);

        for (const each of operations) {
          switch (each.kind) {
            case 'add':
              owed.add(each.key);
              queue.add(each.key);
              break;
            case 'limited':
              wait(each.key, Math.min(1_000, 100 * 2 ** queue.failures(each.key)));
              queue.addRateLimited(each.key);
              break;
            case 'after':
              wait(each.key, each.ms);
              queue.addAfter(each.key, each.ms);
              break;
            case 'advance':
              await clock.advance(each.ms);
              break;
            case 'finish':
              [...inWork.values()][each.which]?.();
              break;
          }
          await clock.advance(0);
        }
        // From here on every worker finishes at once: whatever is owed must come out.
        for (let turn = 0; turn < 40; turn++) {
          for (const finish of inWork.values()) finish();
          await clock.advance(500);
        }
        expect(violations).toEqual([]);
        expect([...owed]).toEqual([]);
        expect([...waiting]).toEqual([]);
        expect(queue.depth).toBe(0);
        expect(clock.timers()).toBe(0);
        stop.abort();
        await Promise.all(running);
      },
    ),
    { numRuns: 40 },
  );
});
