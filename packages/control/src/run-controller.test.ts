import { createFakeClock, createRecordingLogger } from '@holdfast/core/testing';
import { describe, expect, it } from 'vitest';
import { type Outcome, runController } from './run-controller.ts';
import { createWorkQueue } from './work-queue.ts';

function setUp(reconcile: (key: string, signal: AbortSignal) => Promise<Outcome>, workers = 1) {
  const clock = createFakeClock();
  const queue = createWorkQueue({ name: 'q', baseMs: 1_000, maxMs: 60_000, clock });
  const log = createRecordingLogger();
  const abort = new AbortController();
  const ended = runController({ name: 'test', queue, workers, reconcile, log, signal: abort.signal });
  return { clock, queue, log, abort, ended };
}

describe('each outcome', () => {
  it('done forgets the failures', async () => {
    const outcomes: Outcome[] = [{ kind: 'retry', error: new Error('first') }, { kind: 'done' }];
    const { clock, queue, abort, ended } = setUp(async () => outcomes.shift() ?? { kind: 'done' });
    queue.add('a');
    await clock.advance(0);
    expect(queue.failures('a')).toBe(1);
    await clock.advance(1_000);
    expect(outcomes).toEqual([]);
    expect(queue.failures('a')).toBe(0);
    expect(clock.timers()).toBe(0);
    abort.abort();
    await ended;
  });

  it('again looks after the time, with no failure counted', async () => {
    let calls = 0;
    const { clock, queue, abort, ended } = setUp(async () => {
      calls += 1;
      return calls === 1 ? { kind: 'again', afterMs: 5_000 } : { kind: 'done' };
    });
    queue.add('a');
    await clock.advance(4_999);
    expect(calls).toBe(1);
    expect(queue.failures('a')).toBe(0);
    await clock.advance(1);
    expect(calls).toBe(2);
    abort.abort();
    await ended;
  });

  it('retry and a throw back off and are logged with the key', async () => {
    let calls = 0;
    const { clock, queue, log, abort, ended } = setUp(async () => {
      calls += 1;
      if (calls === 2) throw new Error('thrown');
      return { kind: 'retry', error: new Error('returned') };
    });
    queue.add('ns/a');
    await clock.advance(1_000);
    expect(queue.failures('ns/a')).toBe(2);
    await clock.advance(1_999);
    expect(calls).toBe(2);
    await clock.advance(1);
    expect(calls).toBe(3);
    const errors = log.lines.filter((line) => line.level === 'error');
    expect(errors.map((line) => [line.fields.key, line.fields.error])).toEqual([
      ['ns/a', 'returned'],
      ['ns/a', 'thrown'],
      ['ns/a', 'returned'],
    ]);
    abort.abort();
    await ended;
  });

  it('giveUp waits for a change', async () => {
    let calls = 0;
    const { clock, queue, log, abort, ended } = setUp(async () => {
      calls += 1;
      return { kind: 'giveUp', error: new Error('hopeless') };
    });
    queue.add('a');
    await clock.advance(600_000);
    expect(calls).toBe(1);
    expect(log.lines.some((line) => line.fields.error === 'hopeless')).toBe(true);
    queue.add('a');
    await clock.advance(0);
    expect(calls).toBe(2);
    abort.abort();
    await ended;
  });
});

it('works on as many keys at once as it has workers', async () => {
  const release = Promise.withResolvers<Outcome>();
  const started: string[] = [];
  const { clock, queue, abort, ended } = setUp(async (key) => {
    started.push(key);
    return release.promise;
  }, 2);
  for (const key of ['a', 'b', 'c']) queue.add(key);
  await clock.advance(0);
  expect(started).toEqual(['a', 'b']);
  release.resolve({ kind: 'done' });
  await clock.advance(0);
  expect(started).toEqual(['a', 'b', 'c']);
  abort.abort();
  await ended;
});

it('drains on abort: what is under way ends, what is queued stays, nothing is left ticking', async () => {
  const release = Promise.withResolvers<Outcome>();
  let hasEnded = false;
  const { clock, queue, abort, ended } = setUp(async () => release.promise);
  queue.add('a');
  queue.add('b');
  queue.addAfter('c', 9_000);
  await clock.advance(0);
  abort.abort();
  void ended.then(() => {
    hasEnded = true;
  });
  await clock.advance(0);
  expect(hasEnded).toBe(false);
  release.resolve({ kind: 'retry', error: new Error('cut off') });
  await ended;
  expect(queue.depth).toBe(1);
  expect(clock.timers()).toBe(0);
});

describe('what the queue reports of a key', () => {
  it('follows it from the queue through its work and its back-off to the end', async () => {
    const pending: PromiseWithResolvers<Outcome>[] = [];
    const { clock, queue, abort, ended } = setUp(() => {
      const answer = Promise.withResolvers<Outcome>();
      pending.push(answer);
      return answer.promise;
    });
    const finish = async (outcome: Outcome) => {
      pending.shift()?.resolve(outcome);
      await clock.advance(0);
    };
    expect(queue.report('b').state).toEqual({ kind: 'idle' });
    queue.add('a');
    await clock.advance(0);
    queue.add('b');
    await clock.advance(40);
    expect(queue.report('a').state).toEqual({ kind: 'inWork', forMs: 40 });
    expect(queue.report('b').state).toEqual({ kind: 'queued', forMs: 40 });
    await finish({ kind: 'retry', error: new Error('no room') });
    await clock.advance(300);
    expect(queue.report('a')).toEqual({
      state: { kind: 'delayed', inMs: 700 },
      failures: 1,
      lastError: { message: 'no room', agoMs: 300 },
    });
    await finish({ kind: 'giveUp', error: new Error('no class') });
    expect(queue.report('b')).toEqual({
      state: { kind: 'idle' },
      failures: 0,
      lastError: { message: 'no class', agoMs: 0 },
    });
    await clock.advance(700);
    await finish({ kind: 'again', afterMs: 500 });
    expect(queue.report('a')).toMatchObject({
      state: { kind: 'delayed', inMs: 500 },
      lastError: { message: 'no room' },
    });
    await clock.advance(500);
    await finish({ kind: 'done' });
    expect(queue.report('a')).toEqual({ state: { kind: 'idle' }, failures: 0, lastError: undefined });
    abort.abort();
    await ended;
  });

  it('does not grow with keys that are given up on', async () => {
    const { clock, queue, abort, ended } = setUp(async (key) => ({ kind: 'giveUp', error: new Error(key) }));
    for (let index = 0; index <= 1_000; index++) queue.add(`key-${index}`);
    await clock.advance(0);
    expect(queue.report('key-0').lastError).toBeUndefined();
    expect(queue.report('key-1000').lastError?.message).toBe('key-1000');
    abort.abort();
    await ended;
  });
});
