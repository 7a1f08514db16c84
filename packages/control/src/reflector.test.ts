import { createFakeClock, createRecordingLogger } from '@holdfast/core/testing';
import { type PersistentVolume, persistentVolumes } from '@holdfast/kube';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createReflector, type ReflectorDeps } from './reflector.ts';
import { type Exchange, startApiDouble, type WatchStream } from './testing/api-double.ts';

/** Waits for what happens on its own; long enough for a machine under load. */
function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval: 10 });
}

function volume(name: string, resourceVersion: number, phase = 'Available') {
  const metadata = {
    name,
    uid: `uid-${name}`,
    resourceVersion: String(resourceVersion),
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { ...metadata, managedFields: [{}] },
    status: { phase },
  };
}

function bookmark(resourceVersion: number, isEnd = false) {
  const annotations = isEnd ? { 'k8s.io/initial-events-end': 'true' } : {};
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { resourceVersion: String(resourceVersion), annotations },
  };
}

function page(items: object[], resourceVersion: number, continueToken = '') {
  return {
    kind: 'PersistentVolumeList',
    apiVersion: 'v1',
    metadata: { resourceVersion: String(resourceVersion), continue: continueToken },
    items,
  };
}

const expired = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
const isWatch = (exchange: Exchange) => exchange.query.get('watch') === 'true';
const isStreamingList = (exchange: Exchange) => exchange.query.get('sendInitialEvents') === 'true';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function setUp(
  handle: (exchange: Exchange, nth: number) => void,
  more: Partial<ReflectorDeps<PersistentVolume>> = {},
) {
  let count = 0;
  const api = await startApiDouble((exchange) => handle(exchange, count++));
  const clock = createFakeClock();
  const log = createRecordingLogger();
  const abort = new AbortController();
  const reflector = createReflector({
    client: api.client,
    resource: persistentVolumes,
    log,
    clock,
    random: () => 0,
    ...more,
  });
  const changes: string[] = [];
  reflector.store.subscribe((change) => changes.push(`${change.kind} ${change.object.metadata.name}`));
  const ended = reflector.run(abort.signal);
  cleanUps.push(async () => {
    abort.abort();
    await ended;
    await api.stop();
  });
  /** Lets the back-off that the reflector is in pass. */
  let passed = 0;
  const passBackoff = async (ms: number) => {
    await eventually(() => {
      expect(log.lines.filter((line) => line.level === 'warn').length).toBeGreaterThan(passed);
      expect(clock.timers()).toBe(1);
    });
    passed += 1;
    await clock.advance(ms);
  };
  return { api, clock, log, abort, ended, reflector, changes, passBackoff };
}

function names(reflector: { store: { list(): readonly PersistentVolume[] } }): string[] {
  return reflector.store.list().map((each) => each.metadata.name);
}

describe('a server that streams lists', () => {
  it('is listed and watched with one request, and nothing shows before the list is whole', async () => {
    const streams: WatchStream[] = [];
    const { api, reflector, changes } = await setUp((exchange) => streams.push(exchange.stream()));
    await eventually(() => expect(streams).toHaveLength(1));
    expect(reflector.state()).toEqual({ kind: 'listing', how: 'stream' });
    streams[0]?.send('ADDED', volume('a', 3));
    streams[0]?.send('ADDED', volume('b', 5));
    streams[0]?.send('MODIFIED', volume('a', 6));
    streams[0]?.send('ADDED', volume('c', 4));
    streams[0]?.send('DELETED', volume('c', 7));
    streams[0]?.send('BOOKMARK', bookmark(6));
    expect(reflector.hasSynced).toBe(false);
    expect(reflector.store.size).toBe(0);
    streams[0]?.send('BOOKMARK', bookmark(9, true));
    await reflector.synced;
    expect(names(reflector)).toEqual(['a', 'b']);
    expect(reflector.store.get('a')?.metadata.resourceVersion).toBe('6');
    expect(reflector.state()).toEqual({ kind: 'watching', resourceVersion: '9' });
    streams[0]?.send('MODIFIED', volume('b', 10, 'Bound'));
    await eventually(() => expect(reflector.store.get('b')?.status?.phase).toBe('Bound'));
    streams[0]?.send('DELETED', volume('a', 11));
    await eventually(() => expect(changes).toEqual(['added a', 'added b', 'updated b', 'deleted a']));
    expect(api.exchanges).toHaveLength(1);
    const query = api.exchanges[0]?.query;
    expect(query?.get('resourceVersionMatch')).toBe('NotOlderThan');
    expect(query?.get('allowWatchBookmarks')).toBe('true');
  });

  it('that goes quiet without the closing bookmark is listed in pages', async () => {
    const { clock, reflector } = await setUp((exchange) => {
      if (isWatch(exchange)) exchange.stream().send('ADDED', volume('a', 3));
      else exchange.reply(200, page([volume('a', 3)], 4));
    });
    await eventually(() => expect(clock.timers()).toBe(1));
    await clock.advance(30_000);
    await reflector.synced;
    expect(names(reflector)).toEqual(['a']);
  });

  it('may take its time, as long as something comes', async () => {
    const streams: WatchStream[] = [];
    const { api, clock, reflector } = await setUp((exchange) => streams.push(exchange.stream()));
    await eventually(() => expect(streams).toHaveLength(1));
    for (const nth of [1, 2, 3]) {
      await clock.advance(20_000);
      const hearing = vi.spyOn(clock, 'monotonicMs');
      streams[0]?.send('ADDED', volume(`v${nth}`, nth));
      await eventually(() => expect(hearing).toHaveBeenCalled());
      hearing.mockRestore();
    }
    streams[0]?.send('BOOKMARK', bookmark(9, true));
    await reflector.synced;
    expect(names(reflector)).toEqual(['v1', 'v2', 'v3']);
    expect(api.exchanges).toHaveLength(1);
  });

  it('that ends the stream before the closing bookmark is listed in pages', async () => {
    const { reflector } = await setUp((exchange, nth) => {
      if (nth === 0) exchange.stream().end();
      else if (isWatch(exchange)) exchange.stream();
      else exchange.reply(200, page([volume('a', 3)], 4));
    });
    await reflector.synced;
    expect(reflector.state()).toEqual({ kind: 'watching', resourceVersion: '4' });
  });
});

describe('a server that does not stream lists', () => {
  it.each([400, 422, 501])('and says so with %i is listed in pages of 500 from then on', async (code) => {
    const watches: WatchStream[] = [];
    const { api, reflector, passBackoff } = await setUp((exchange) => {
      if (isStreamingList(exchange)) exchange.refuse(code, 'Invalid');
      else if (isWatch(exchange)) watches.push(exchange.stream());
      else if (exchange.query.get('continue') === 'next') exchange.reply(200, page([volume('b', 2)], 7));
      else exchange.reply(200, page([volume('a', 1)], 7, 'next'));
    });
    await reflector.synced;
    expect(names(reflector)).toEqual(['a', 'b']);
    await eventually(() => expect(watches).toHaveLength(1));
    watches[0]?.send('ERROR', expired);
    await passBackoff(800);
    await eventually(() => expect(watches).toHaveLength(2));
    expect(api.exchanges.filter(isStreamingList)).toHaveLength(1);
    const lists = api.exchanges.filter((exchange) => !isWatch(exchange));
    expect(lists.map((exchange) => exchange.query.get('limit'))).toEqual(['500', '500', '500', '500']);
    expect(api.exchanges.filter(isWatch).at(-1)?.query.get('resourceVersion')).toBe('7');
  });

  it('is listed in one piece when the continue token expires on the way', async () => {
    const { api, reflector } = await setUp((exchange) => {
      if (isStreamingList(exchange)) exchange.refuse(400, 'BadRequest');
      else if (isWatch(exchange)) exchange.stream();
      else if (exchange.query.has('continue')) exchange.reply(410, expired);
      else if (exchange.query.has('limit')) exchange.reply(200, page([volume('a', 1)], 5, 'next'));
      else exchange.reply(200, page([volume('b', 1)], 9));
    });
    await reflector.synced;
    expect(names(reflector)).toEqual(['b']);
    expect(api.exchanges.filter((exchange) => !isWatch(exchange))).toHaveLength(3);
  });
});

function listsThenWatches(lists: object[], watches: ((exchange: Exchange) => void)[]) {
  return (exchange: Exchange) => {
    if (isStreamingList(exchange)) exchange.refuse(400, 'BadRequest');
    else if (isWatch(exchange)) watches.shift()?.(exchange);
    else exchange.reply(200, lists.shift());
  };
}

describe('a watch that ends', () => {
  it('is resumed from the last version seen, bookmarks included, without a list', async () => {
    const resumed: (string | null)[] = [];
    const { api, reflector, passBackoff, changes } = await setUp(
      listsThenWatches(
        [page([volume('a', 1)], 5)],
        [
          (exchange) => {
            const stream = exchange.stream();
            stream.send('MODIFIED', volume('a', 6));
            stream.send('BOOKMARK', bookmark(40));
            stream.end();
          },
          (exchange) => {
            resumed.push(exchange.query.get('resourceVersion'));
            exchange.hangUp();
          },
          (exchange) => {
            resumed.push(exchange.query.get('resourceVersion'));
            exchange.stream().send('ADDED', volume('b', 41));
          },
        ],
      ),
    );
    await passBackoff(800);
    await eventually(() => expect(names(reflector)).toEqual(['a', 'b']));
    expect(resumed).toEqual(['40', '40']);
    expect(changes).toEqual(['added a', 'updated a', 'added b']);
    expect(api.exchanges.filter((exchange) => !isWatch(exchange))).toHaveLength(1);
  });

  it('at once and with nothing is a failure: the reconnects back off from 0.8 s to 30 s', async () => {
    const endAtOnce = (exchange: Exchange) => exchange.stream().end();
    const { api, clock, passBackoff } = await setUp(listsThenWatches([page([], 5)], Array(9).fill(endAtOnce)));
    const delays = [800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000];
    for (const [index, delayMs] of delays.entries()) {
      await eventually(() => expect(api.exchanges.filter(isWatch)).toHaveLength(index + 2));
      await passBackoff(delayMs - 1);
      expect(api.exchanges.filter(isWatch)).toHaveLength(index + 2);
      await clock.advance(1);
    }
  });
});

describe('a version that is too old', () => {
  it.each(['as an event', 'as an answer'])(
    'said %s lists anew and yields the deletes and changes that were missed',
    async (how) => {
      const { reflector, changes, passBackoff, api } = await setUp(
        listsThenWatches(
          [page([volume('a', 1), volume('b', 2)], 5), page([volume('b', 8), volume('c', 7)], 9)],
          [
            (exchange) =>
              how === 'as an answer' ? exchange.reply(410, expired) : exchange.stream().send('ERROR', expired),
            (exchange) => void exchange.stream(),
          ],
        ),
      );
      await passBackoff(800);
      await eventually(() => expect(reflector.state()).toEqual({ kind: 'watching', resourceVersion: '9' }));
      expect(changes).toEqual(['added a', 'added b', 'deleted a', 'updated b', 'added c']);
      expect(api.exchanges.filter((exchange) => !isWatch(exchange))).toHaveLength(2);
    },
  );
});

it('backs off from the start again once a watch has shown something', async () => {
  const watches: Exchange[] = [];
  const { passBackoff, clock } = await setUp(
    listsThenWatches(
      [page([], 5)],
      [
        (exchange) => exchange.hangUp(),
        (exchange) => exchange.hangUp(),
        (exchange) => {
          const stream = exchange.stream();
          stream.send('ADDED', volume('a', 6));
          setImmediate(() => stream.hangUp());
        },
        (exchange) => void watches.push(exchange),
      ],
    ),
  );
  await passBackoff(800);
  await passBackoff(1_600);
  await passBackoff(799);
  expect(watches).toEqual([]);
  await clock.advance(1);
  await eventually(() => expect(watches).toHaveLength(1));
});

it('keeps what it has while the API server is away', async () => {
  const { reflector, clock, log } = await setUp((exchange, nth) => {
    if (nth === 0) {
      const stream = exchange.stream();
      stream.send('ADDED', volume('a', 1));
      stream.send('BOOKMARK', bookmark(2, true));
      setImmediate(() => stream.hangUp());
    } else exchange.refuse(503, 'ServiceUnavailable');
  });
  await reflector.synced;
  await eventually(() => expect(log.lines.some((line) => line.message === 'Watch failed')).toBe(true));
  await clock.advance(800);
  expect(names(reflector)).toEqual(['a']);
  expect(reflector.state()).toEqual({ kind: 'watching', resourceVersion: '2' });
});

it('says which permission is missing', async () => {
  const { log } = await setUp((exchange) => exchange.refuse(403, 'Forbidden'));
  await eventually(() => expect(log.lines.some((line) => line.level === 'warn')).toBe(true));
  const line = log.lines.find((each) => each.level === 'warn');
  expect(line?.fields.remedy).toBe('grant get, list and watch on persistentvolumes to this service account');
});

it('projects, drops managedFields and keeps indexes', async () => {
  const { reflector } = await setUp(
    (exchange) => {
      const stream = exchange.stream();
      stream.send('ADDED', volume('a', 1, 'Bound'));
      stream.send('ADDED', volume('b', 2));
      stream.send('BOOKMARK', bookmark(3, true));
    },
    {
      project: (object) => ({ ...object, spec: { storageClassName: 'projected' } }),
      indexes: { phase: (object) => [object.status?.phase ?? ''] },
    },
  );
  await reflector.synced;
  const [bound, ...others] = reflector.store.byIndex('phase', 'Bound');
  expect(others).toEqual([]);
  expect(bound?.metadata.name).toBe('a');
  expect(bound?.spec?.storageClassName).toBe('projected');
  expect(bound?.metadata).not.toHaveProperty('managedFields');
  reflector.store.applyWrite({ ...volume('a', 9, 'Released') });
  expect(reflector.store.get('a')?.metadata).not.toHaveProperty('managedFields');
  expect(reflector.store.byIndex('phase', 'Released')).toHaveLength(1);
});

it('keeps nothing whole while a list comes in, streamed or in pages', async () => {
  const projected: string[] = [];
  const project = (object: PersistentVolume) => {
    projected.push(object.metadata.name);
    return { ...object, spec: { storageClassName: 'projected' } };
  };
  const streams: WatchStream[] = [];
  await setUp((exchange) => streams.push(exchange.stream()), { project });
  await eventually(() => expect(streams).toHaveLength(1));
  streams[0]?.send('ADDED', volume('a', 1));
  await eventually(() => expect(projected).toEqual(['a']));

  projected.length = 0;
  const { reflector } = await setUp(
    (exchange) => {
      const token = exchange.query.get('continue');
      if (isStreamingList(exchange)) exchange.refuse(400, 'BadRequest');
      else if (isWatch(exchange)) exchange.stream();
      else if (token === null) exchange.reply(200, page([volume('b', 2)], 9, 'more'));
      else if (projected.length === 1) exchange.reply(200, page([volume('c', 3)], 9));
      else exchange.refuse(500, 'InternalError');
    },
    { project },
  );
  await reflector.synced;
  expect(projected).toEqual(['b', 'c']);
  expect(reflector.store.get('c')?.spec?.storageClassName).toBe('projected');
});

it('rejects synced when it ends before the first list, and asks only for its namespace and selectors', async () => {
  const { api, abort, ended, reflector } = await setUp((exchange) => void exchange.stream(), {
    labelSelector: 'app=x',
    fieldSelector: 'spec.a=b',
  });
  await eventually(() => expect(api.exchanges).toHaveLength(1));
  expect(api.exchanges[0]?.query.get('labelSelector')).toBe('app=x');
  expect(api.exchanges[0]?.query.get('fieldSelector')).toBe('spec.a=b');
  const reason = new Error('stop');
  abort.abort(reason);
  await ended;
  await expect(reflector.synced).rejects.toBe(reason);
});
