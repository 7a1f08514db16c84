import { expect, it } from 'vitest';
import { groupReflectors } from './reflector-group.ts';

function reflector() {
  const { promise: synced, resolve, reject } = Promise.withResolvers<void>();
  const signals: AbortSignal[] = [];
  const run = async (signal: AbortSignal) => void signals.push(signal);
  return { synced, resolve, reject, signals, run };
}

it('is synced once every cache is', async () => {
  const [volumes, nodes] = [reflector(), reflector()];
  const { synced } = groupReflectors({ volumes, nodes });
  let isSynced = false;
  void synced.then(() => {
    isSynced = true;
  });
  volumes.resolve();
  await volumes.synced;
  await Promise.resolve();
  expect(isSynced).toBe(false);
  nodes.resolve();
  await synced;
});

it('says when a cache ends before its first list', async () => {
  const [volumes, nodes] = [reflector(), reflector()];
  const { synced } = groupReflectors({ volumes, nodes });
  volumes.resolve();
  nodes.reject(new Error('stopped'));
  await expect(synced).rejects.toThrow('stopped');
});

it('leaves a standby in peace that ends before its caches are complete', async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown) => void unhandled.push(error);
  process.on('unhandledRejection', onUnhandled);
  const volumes = reflector();
  groupReflectors({ volumes });
  volumes.reject(new Error('stopped'));
  await volumes.synced.catch(() => {});
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', onUnhandled);
  expect(unhandled).toEqual([]);
});

it('names a task for each cache, which runs that cache', async () => {
  const [volumes, nodes] = [reflector(), reflector()];
  const { tasks } = groupReflectors({ volumes, nodes });
  expect(Object.keys(tasks)).toEqual(['cache of volumes', 'cache of nodes']);
  const { signal } = new AbortController();
  await tasks['cache of nodes']?.(signal);
  expect(nodes.signals).toEqual([signal]);
  expect(volumes.signals).toEqual([]);
});
