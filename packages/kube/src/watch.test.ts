import type { ServerResponse } from 'node:http';
import { createFakeClock } from '@holdfast/core/testing';
import * as fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createKubeClient, type KubeClientDeps } from './create-client.ts';
import { jsonLines } from './json-lines.ts';
import { isExpired, KubeError } from './kube-error.ts';
import { persistentVolumes } from './resources.ts';
import { startHttpServer, statusBody, type TestServer, volume } from './testing/http-server.ts';
import type { WatchEvent } from './watch.ts';

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server that opens each watch and hands it to the test. */
async function setUp(deps: Partial<KubeClientDeps> = {}) {
  const streams: ServerResponse[] = [];
  const server: TestServer = await startHttpServer((_seen, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.flushHeaders();
    streams.push(response);
  });
  const client = createKubeClient({ config: server.config, userAgent: 'test', ...deps });
  cleanups.push(() => server.stop());
  cleanups.push(() => client.close());
  const opened = () => vi.waitFor(() => streams.at(-1) ?? expect.fail('no watch was opened'));
  return { server, client, opened };
}

function line(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}

async function collect<T>(events: AsyncIterable<WatchEvent<T>>, into: WatchEvent<T>[] = []): Promise<WatchEvent<T>[]> {
  for await (const event of events) into.push(event);
  return into;
}

async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it should have failed'),
    (error: unknown) => error,
  );
}

describe('watch', () => {
  test('yields every kind of event in order and ends when the server ends it', async () => {
    const { server, client, opened } = await setUp();
    const events = collect(client.watch(persistentVolumes, { resourceVersion: '5', timeoutSeconds: 400 }));
    const stream = await opened();
    stream.write(line('ADDED', volume('a')) + line('MODIFIED', volume('b')));
    stream.write(line('BOOKMARK', { metadata: { resourceVersion: '9' } }));
    stream.write(
      line('BOOKMARK', { metadata: { resourceVersion: '10', annotations: { 'k8s.io/initial-events-end': 'true' } } }),
    );
    stream.end(line('DELETED', volume('a')));
    expect(await events).toEqual([
      { kind: 'added', object: volume('a') },
      { kind: 'modified', object: volume('b') },
      { kind: 'bookmark', resourceVersion: '9', isInitialEventsEnd: false },
      { kind: 'bookmark', resourceVersion: '10', isInitialEventsEnd: true },
      { kind: 'deleted', object: volume('a') },
    ]);
    expect(Object.fromEntries(new URL(server.seen[0]?.url ?? '', 'http://x').searchParams)).toEqual({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '5',
      timeoutSeconds: '400',
    });
  });

  test('a streaming list asks for initial events with the match the server demands', async () => {
    const { server, client, opened } = await setUp();
    const events = collect(client.watch(persistentVolumes, { sendInitialEvents: true }));
    (await opened()).end();
    await events;
    const query = new URL(server.seen[0]?.url ?? '', 'http://x').searchParams;
    expect(query.get('sendInitialEvents')).toBe('true');
    expect(query.get('resourceVersionMatch')).toBe('NotOlderThan');
    expect(Number(query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(300);
    expect(Number(query.get('timeoutSeconds'))).toBeLessThanOrEqual(600);
  });

  test('an event is delivered before the next one arrives', async () => {
    const { client, opened } = await setUp();
    const iterator = client.watch(persistentVolumes)[Symbol.asyncIterator]();
    const first = iterator.next();
    const stream = await opened();
    stream.write(line('ADDED', volume('a')));
    await expect(first).resolves.toMatchObject({ value: { kind: 'added' } });
    const second = iterator.next();
    stream.end(line('DELETED', volume('a')));
    await expect(second).resolves.toMatchObject({ value: { kind: 'deleted' } });
    await expect(iterator.next()).resolves.toMatchObject({ done: true });
  });

  test('an ERROR event ends the watch with the reason of its Status', async () => {
    const { client, opened } = await setUp();
    const seen: WatchEvent<unknown>[] = [];
    const events = collect(client.watch(persistentVolumes, { resourceVersion: '1' }), seen);
    const stream = await opened();
    stream.write(line('ADDED', volume('a')));
    stream.write(line('ERROR', statusBody(410, 'Expired', 'too old resource version: 1 (9)')));
    const error = await reasonOf(events);
    expect(error).toMatchObject({ status: 410, reason: 'Expired', message: 'too old resource version: 1 (9)' });
    expect(isExpired(error)).toBe(true);
    expect(seen).toHaveLength(1);
    await vi.waitFor(() => expect(stream.destroyed).toBe(true));
  });

  test('410 as the answer itself is expired too', async () => {
    const server = await startHttpServer((_seen, response) => response.writeHead(410).end());
    const client = createKubeClient({ config: server.config, userAgent: 'test' });
    cleanups.push(() => server.stop());
    cleanups.push(() => client.close());
    expect(isExpired(await reasonOf(collect(client.watch(persistentVolumes))))).toBe(true);
  });

  test.each([
    ['garbage', 'hello\n', 'is not JSON'],
    ['an unknown type', line('RENAMED', volume('a')), 'an event of type "RENAMED"'],
    ['no object', line('ADDED', { metadata: {} }), 'an event without an object'],
    ['a bookmark without a version', line('BOOKMARK', {}), 'a bookmark without a resourceVersion'],
    ['JSON that is no event', '[]\n', 'a line that is not an event'],
  ])('%s is an error that says so', async (_name, text, message) => {
    const { client, opened } = await setUp();
    const events = collect(client.watch(persistentVolumes));
    (await opened()).write(text);
    const error = await reasonOf(events);
    expect(error).toBeInstanceOf(KubeError);
    expect(error).toMatchObject({ message: expect.stringContaining(message) });
  });

  test('an end in the middle of an event is an error, not an end', async () => {
    const { client, opened } = await setUp();
    const events = collect(client.watch(persistentVolumes));
    (await opened()).end('{"type":"ADDED"');
    expect(await reasonOf(events)).toMatchObject({
      status: 0,
      message: expect.stringContaining('in the middle of a line'),
    });
  });

  test('a broken connection is an error', async () => {
    const { client, opened, server } = await setUp();
    const events = collect(client.watch(persistentVolumes));
    await opened();
    server.connections[0]?.resetAndDestroy();
    expect(await reasonOf(events)).toMatchObject({ status: 0, reason: '' });
  });

  test('an abort ends a quiet watch at once with the reason of the signal, and closes its connection', async () => {
    const { client, opened, server } = await setUp();
    const controller = new AbortController();
    const events = collect(client.watch(persistentVolumes, { signal: controller.signal }));
    await opened();
    const reason = new Error('stopping');
    controller.abort(reason);
    expect(await reasonOf(events)).toBe(reason);
    await vi.waitFor(() => expect(server.connections[0]?.closed).toBe(true));
  });

  test('an abort between two events of one chunk stops before the second', async () => {
    const { client, opened } = await setUp();
    const controller = new AbortController();
    const seen: unknown[] = [];
    const loop = (async () => {
      for await (const event of client.watch(persistentVolumes, { signal: controller.signal })) {
        seen.push(event);
        controller.abort();
      }
    })();
    (await opened()).write(line('ADDED', volume('a')) + line('ADDED', volume('b')));
    expect(await reasonOf(loop)).toBe(controller.signal.reason);
    expect(seen).toHaveLength(1);
  });

  test('leaving the loop closes the connection', async () => {
    const { client, opened, server } = await setUp();
    const loop = (async () => {
      for await (const event of client.watch(persistentVolumes)) return event.kind;
      return 'ended';
    })();
    (await opened()).write(line('ADDED', volume('a')));
    expect(await loop).toBe('added');
    await vi.waitFor(() => expect(server.connections[0]?.closed).toBe(true));
  });

  test('a watch that outlives its time is cut', async () => {
    const clock = createFakeClock();
    const { client, opened } = await setUp({ clock });
    const events = reasonOf(collect(client.watch(persistentVolumes, { timeoutSeconds: 300 })));
    await opened();
    await vi.waitFor(() => expect(clock.timers()).toBe(1));
    await clock.advance(330_000);
    expect(await events).toMatchObject({ message: expect.stringContaining('did not end the watch after 300 s') });
  });

  test('a server that never opens the watch ends after the request timeout', async () => {
    const server = await startHttpServer(() => {});
    const client = createKubeClient({ config: server.config, userAgent: 'test', requestTimeoutMs: 50 });
    cleanups.push(() => server.stop());
    cleanups.push(() => client.close());
    expect(await reasonOf(collect(client.watch(persistentVolumes)))).toMatchObject({
      message: expect.stringContaining('no answer within 0.05 s'),
    });
  });

  test('characters and events split between chunks arrive whole', async () => {
    const { client, opened } = await setUp();
    const events = collect(client.watch(persistentVolumes));
    const stream = await opened();
    const bytes = Buffer.from(line('ADDED', volume('a', { note: 'größe 容量 💾' })));
    for (const byte of bytes) await new Promise((resolve) => stream.write(Buffer.from([byte]), resolve));
    stream.end();
    expect(await events).toEqual([{ kind: 'added', object: volume('a', { note: 'größe 容量 💾' }) }]);
  });
});

describe('jsonLines', () => {
  test('gives the same values wherever the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue(), { maxLength: 8 }),
        fc.array(fc.nat({ max: 400 }), { maxLength: 12 }),
        async (values, cuts) => {
          const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
          const edges = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
          const chunks = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
          const seen: unknown[] = [];
          for await (const some of jsonLines(stream(chunks))) seen.push(...some);
          expect(seen).toEqual(values.map((value): unknown => JSON.parse(JSON.stringify(value))));
        },
      ),
    );
  });

  test('a bad line is named by its length, never by its text, after what came before it', async () => {
    const seen: unknown[] = [];
    const read = (async () => {
      for await (const some of jsonLines(stream([Buffer.from('[1]\n{"password":"hunter2\n')]))) {
        for (const value of some) seen.push(value);
      }
    })();
    await expect(read).rejects.toThrow(/^a line of 20 bytes is not JSON$/);
    expect(seen).toEqual([[1]]);
  });
});

async function* stream(chunks: Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}
