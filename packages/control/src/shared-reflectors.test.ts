import { createRecordingLogger } from '@holdfast/core/testing';
import { type PersistentVolume, persistentVolumes } from '@holdfast/kube';
import { expect, it, onTestFinished, vi } from 'vitest';
import { pick, projectHead } from './projection.ts';
import type { ReflectorDeps } from './reflector.ts';
import { createSharedReflectors } from './shared-reflectors.ts';
import { startApiDouble, type WatchStream } from './testing/api-double.ts';

const soon = { timeout: 20_000, interval: 10 };

function volume(name: string, resourceVersion: number): PersistentVolume {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name,
      uid: `uid-${name}`,
      resourceVersion: String(resourceVersion),
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { l: 'x' },
    },
    spec: { storageClassName: 'fast', csi: { driver: 'd', volumeHandle: `of-${name}` } },
    status: { phase: 'Available' },
  };
}

const end = (resourceVersion: number) => ({
  kind: 'PersistentVolume',
  metadata: { resourceVersion: String(resourceVersion), annotations: { 'k8s.io/initial-events-end': 'true' } },
});

async function setUp() {
  const streams: WatchStream[] = [];
  const api = await startApiDouble((exchange) => streams.push(exchange.stream()));
  const createReflector = createSharedReflectors();
  const join = (more: Partial<ReflectorDeps<PersistentVolume>>) =>
    createReflector({ client: api.client, resource: persistentVolumes, log: createRecordingLogger(), ...more });
  const byClass = join({
    project: (object) => ({ ...projectHead(object), spec: pick(object.spec, 'storageClassName') }),
    indexes: { found: ({ spec }) => [spec?.storageClassName ?? ''] },
  });
  const byHandle = join({
    project: (object) => ({ ...projectHead(object), spec: pick(object.spec, 'csi') }),
    indexes: { found: ({ spec }) => [spec?.csi?.volumeHandle ?? ''] },
  });
  const idle = join({ indexes: { found: () => ['all'] } });
  const stopping = [new AbortController(), new AbortController()] as const;
  const start = () => [byClass.run(stopping[0].signal), byHandle.run(stopping[1].signal)] as const;
  onTestFinished(async () => {
    for (const each of stopping) each.abort();
    await api.stop();
  });
  return { api, streams, join, byClass, byHandle, idle, stopping, start };
}

it('watches a collection once, keeps each object once with what any keeps of it, and gives each its own indexes', async () => {
  const { api, streams, byClass, byHandle, idle, start } = await setUp();
  const changes: string[] = [];
  byClass.store.subscribe(({ kind, object }) => changes.push(`class ${kind} ${object.metadata.name}`));
  idle.store.subscribe(() => changes.push('idle'));
  void Promise.all(start());
  byHandle.store.subscribe(({ kind, object }) => changes.push(`handle ${kind} ${object.metadata.name}`));
  await vi.waitFor(() => expect(streams).toHaveLength(1), soon);
  streams[0]?.send('ADDED', volume('a', 3));
  streams[0]?.send('BOOKMARK', end(4));
  await Promise.all([byClass.synced, byHandle.synced]);

  expect(byClass.store.get('a')).toEqual({
    ...projectHead(volume('a', 3)),
    spec: { storageClassName: 'fast', csi: { driver: 'd', volumeHandle: 'of-a' } },
  });
  expect(byHandle.store.get('a')).toBe(byClass.store.get('a'));
  expect(byClass.store.byIndex('found', 'fast')).toHaveLength(1);
  expect(byHandle.store.byIndex('found', 'fast')).toEqual([]);
  expect(byHandle.store.byIndex('found', 'of-a')).toHaveLength(1);
  expect([idle.store.size, idle.store.list(), idle.store.byIndex('found', 'all')]).toEqual([0, [], []]);
  expect(idle.state()).toEqual({ kind: 'empty' });
  expect(changes).toEqual(['class added a', 'handle added a']);
  expect(api.exchanges).toHaveLength(1);
});

it('shows one controller what another has written', async () => {
  const { streams, byClass, byHandle, start } = await setUp();
  void Promise.all(start());
  await vi.waitFor(() => expect(streams).toHaveLength(1), soon);
  streams[0]?.send('BOOKMARK', end(4));
  await byClass.synced;
  byClass.store.applyWrite(volume('b', 9));
  expect(byHandle.store.byIndex('found', 'of-b')).toHaveLength(1);
});

it('goes on for those who still run, and ends with the last', async () => {
  const { streams, byClass, byHandle, stopping, start } = await setUp();
  const [first, second] = start();
  await vi.waitFor(() => expect(streams).toHaveLength(1), soon);
  streams[0]?.send('BOOKMARK', end(4));
  await byHandle.synced;
  stopping[0].abort();
  await first;
  streams[0]?.send('ADDED', volume('c', 5));
  await vi.waitFor(() => expect(byHandle.store.size).toBe(1), soon);
  expect(byClass.hasSynced).toBe(true);
  stopping[1].abort();
  await second;
});

it('rejects who waits for a cache that ends before its first list', async () => {
  const { byClass, stopping, start } = await setUp();
  const [first] = start();
  stopping[0].abort(new Error('stopped'));
  await first;
  await expect(byClass.synced).rejects.toThrow('stopped');
});

it('refuses one who comes when objects are kept without what it would keep', async () => {
  const { streams, byHandle, idle, join, start } = await setUp();
  void Promise.all(start());
  const stranger = join({ indexes: { found: () => ['all'] } });
  await expect(stranger.run(AbortSignal.timeout(60_000))).rejects.toThrow(/persistentvolumes was started after/);
  await vi.waitFor(() => expect(streams).toHaveLength(1), soon);
  streams[0]?.send('ADDED', volume('a', 3));
  streams[0]?.send('BOOKMARK', end(4));
  await byHandle.synced;
  await expect(idle.run(AbortSignal.timeout(60_000))).rejects.toThrow(/persistentvolumes was started after/);
});

it('has a watch of its own for other scopes, and for a cache that refuses objects', async () => {
  const { streams, join, start } = await setUp();
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  void Promise.all(start());
  for (const more of [{ labelSelector: 'a=b' }, { isKept: () => true }]) void join(more).run(stopping.signal);
  await vi.waitFor(() => expect(streams).toHaveLength(3), soon);
});
