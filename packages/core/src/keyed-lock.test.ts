import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKeyedLock } from './keyed-lock.ts';

describe('tryAcquire', () => {
  it('refuses a held key and leaves others alone', () => {
    const lock = createKeyedLock();
    const release = lock.tryAcquire('a');
    expect(release).toBeDefined();
    expect(lock.tryAcquire('a')).toBeUndefined();
    expect(lock.tryAcquire('b')).toBeDefined();
    release?.();
    expect(lock.tryAcquire('a')).toBeDefined();
  });

  it('takes all keys or none', () => {
    const lock = createKeyedLock();
    lock.tryAcquire('b');
    expect(lock.tryAcquire('a', 'b')).toBeUndefined();
    expect(lock.tryAcquire('a')).toBeDefined();
  });

  it('takes a key named twice once', () => {
    const lock = createKeyedLock();
    lock.tryAcquire('a', 'a')?.();
    expect(lock.tryAcquire('a')).toBeDefined();
  });

  it('does not free the next holder when released twice', () => {
    const lock = createKeyedLock();
    const first = lock.tryAcquire('a');
    first?.();
    lock.tryAcquire('a');
    first?.();
    expect(lock.tryAcquire('a')).toBeUndefined();
  });
});

describe('run', () => {
  it('lets one in at a time, in the order of arrival', async () => {
    const lock = createKeyedLock();
    const seen: string[] = [];
    const work = (name: string) => async (): Promise<void> => {
      seen.push(`${name} in`);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(`${name} out`);
    };
    await Promise.all(['1', '2', '3'].map((name) => lock.run('a', work(name))));
    expect(seen).toEqual(['1 in', '1 out', '2 in', '2 out', '3 in', '3 out']);
  });

  it('frees the key when the work fails', async () => {
    const lock = createKeyedLock();
    await expect(lock.run('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(lock.run('a', () => Promise.resolve(7))).resolves.toBe(7);
  });

  it('gives up its place when the signal aborts, and lets the next one in', async () => {
    const lock = createKeyedLock();
    const release = lock.tryAcquire('a');
    const controller = new AbortController();
    const impatient = lock.run('a', () => Promise.resolve('ran'), controller.signal);
    const patient = lock.run('a', () => Promise.resolve('ran'));
    controller.abort(new Error('enough'));
    await expect(impatient).rejects.toThrow('enough');
    release?.();
    await expect(patient).resolves.toBe('ran');
    expect(lock.tryAcquire('a')).toBeDefined();
  });

  it('does not start with a signal that is aborted already', async () => {
    const lock = createKeyedLock();
    await expect(lock.run('a', () => Promise.resolve(), AbortSignal.abort(new Error('late')))).rejects.toThrow('late');
    expect(lock.tryAcquire('a')).toBeDefined();
  });

  it('never lets two in at once, and lets everybody in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.nat(3)), { maxLength: 20 }), async (jobs) => {
        const lock = createKeyedLock();
        const inside = new Map<string, number>();
        let finished = 0;
        await Promise.all(
          jobs.map(([key, turns]) =>
            lock.run(key, async () => {
              inside.set(key, (inside.get(key) ?? 0) + 1);
              expect(inside.get(key)).toBe(1);
              for (let turn = 0; turn < turns; turn++) await Promise.resolve();
              inside.set(key, 0);
              finished++;
            }),
          ),
        );
        expect(finished).toBe(jobs.length);
      }),
    );
  });
});
