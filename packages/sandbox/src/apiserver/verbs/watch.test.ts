import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { createFakeClock } from '@holdfast/core/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type RawApi, startRawApi } from '../../testing/raw-api.ts';
import { type JsonObject, stringAt } from '../json.ts';

let api: RawApi;
afterEach(() => api.stop());

const classes = '/apis/storage.k8s.io/v1/storageclasses';

async function make(name: string, labels: JsonObject = {}): Promise<void> {
  await api.call('POST', classes, { metadata: { name, labels }, provisioner: 'p' });
}

function tell(event: JsonObject | undefined): string {
  return `${stringAt(event, 'type') ?? ''} ${stringAt(event, 'object', 'metadata', 'name') ?? ''}`.trim();
}

/** The next `count` events of a running watch, told in short. */
async function next(events: AsyncGenerator<JsonObject>, count: number): Promise<string[]> {
  const told: string[] = [];
  while (told.length < count) told.push(tell((await events.next()).value));
  return told;
}

describe('a watch', () => {
  it('without a resource version tells the state first, then every change', async () => {
    api = await startRawApi();
    await make('a');
    const events = api.watch(`${classes}?watch=true`);
    expect(await next(events, 1)).toEqual(['ADDED a']);
    await make('b');
    await api.patch(`${classes}/a`, 'merge', { metadata: { labels: { x: 'y' } } });
    await api.call('DELETE', `${classes}/b`);
    expect(await next(events, 3)).toEqual(['ADDED b', 'MODIFIED a', 'DELETED b']);
    await events.return(undefined);
  });

  it('resumes after a resource version, and gives a deletion its own', async () => {
    api = await startRawApi();
    await make('a');
    const { revision } = api.server.storage;
    await make('b');
    await api.call('DELETE', `${classes}/b`);
    const events = api.watch(`${classes}?watch=true&resourceVersion=${revision}`);
    expect(await next(events, 1)).toEqual(['ADDED b']);
    const { value } = await events.next();
    expect(stringAt(value, 'object', 'metadata', 'resourceVersion')).toBe(String(revision + 2));
    await events.return(undefined);
  });

  it('sees an object enter and leave its selector', async () => {
    api = await startRawApi();
    const events = api.watch(
      `${classes}?watch=true&labelSelector=on%3Dyes&resourceVersion=${api.server.storage.revision}`,
    );
    await make('a');
    await api.patch(`${classes}/a`, 'merge', { metadata: { labels: { on: 'yes' } } });
    await api.patch(`${classes}/a`, 'merge', { metadata: { labels: { more: 'yes' } } });
    await api.patch(`${classes}/a`, 'merge', { metadata: { labels: { on: 'no' } } });
    await api.call('DELETE', `${classes}/a`);
    await make('b', { on: 'yes' });
    expect(await next(events, 4)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a', 'ADDED b']);
    await events.return(undefined);
  });

  it('of one object, by its name selected, sees that object', async () => {
    api = await startRawApi();
    const events = api.watch(`${classes}?watch=true&fieldSelector=metadata.name=b`);
    await make('a');
    await make('b');
    expect(await next(events, 1)).toEqual(['ADDED b']);
    await events.return(undefined);
  });

  it('streams a list when asked for initial events, and marks its end', async () => {
    api = await startRawApi();
    await make('a');
    const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const events = api.watch(`${classes}?${query}`);
    expect(await next(events, 1)).toEqual(['ADDED a']);
    const { value } = await events.next();
    expect(value).toEqual({
      type: 'BOOKMARK',
      object: {
        kind: 'StorageClass',
        apiVersion: 'storage.k8s.io/v1',
        metadata: {
          resourceVersion: String(api.server.storage.revision),
          annotations: { 'k8s.io/initial-events-end': 'true' },
        },
      },
    });
    await make('b');
    expect(await next(events, 1)).toEqual(['ADDED b']);
    await events.return(undefined);
  });

  it.each([
    ['watch=true&sendInitialEvents=true', 422],
    ['watch=true&resourceVersionMatch=NotOlderThan', 422],
    ['watch=true&fieldSelector=spec.x%3Dy', 400],
    ['watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=999', 504],
  ])('refuses %s with %i before it begins', async (query, status) => {
    api = await startRawApi();
    await make('a');
    api.server.compact();
    expect((await api.call('GET', `${classes}?${query}`)).status).toBe(status);
  });

  it('says in the watch that its version is forgotten', async () => {
    api = await startRawApi();
    await make('a');
    api.server.compact();
    const events = api.watch(`${classes}?watch=true&resourceVersion=1`);
    expect((await events.next()).value).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    expect((await events.next()).done).toBe(true);
  });

  it('bookmarks how far it is, though nothing it watches happens', async () => {
    const clock = createFakeClock();
    api = await startRawApi({ clock, bookmarkIntervalMs: 1000 });
    const events = api.watch(`${classes}?watch=true&allowWatchBookmarks=true`);
    const first = events.next();
    await vi.waitFor(() => expect(clock.timers()).toBeGreaterThan(0));
    await api.call('POST', '/api/v1/namespaces', { metadata: { name: 'unrelated' } });
    await clock.advance(1000);
    const { value } = await first;
    expect(value).toMatchObject({
      type: 'BOOKMARK',
      object: { metadata: { resourceVersion: String(api.server.storage.revision) } },
    });
    await events.return(undefined);
  });

  it('ends at its timeout', async () => {
    const clock = createFakeClock();
    api = await startRawApi({ clock });
    const events = api.watch(`${classes}?watch=true&timeoutSeconds=5`);
    const ended = events.next();
    await vi.waitFor(() => expect(clock.timers()).toBeGreaterThan(0));
    await clock.advance(5000);
    expect(await ended).toEqual({ done: true, value: undefined });
  });

  it('is cut when its client does not read and the history passes it', async () => {
    api = await startRawApi({ historySize: 20 });
    await make('a');
    const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { authorization: 'Bearer secret' };
      get(`${api.server.url}${classes}?watch=true`, { headers }, resolve).on('error', reject);
    });
    incoming.pause();
    const text = 'x'.repeat(200_000);
    const writes = 120;
    for (let count = 0; count < writes; count++) {
      await api.patch(`${classes}/a`, 'merge', { metadata: { annotations: { text: `${text}${count}` } } });
    }
    let events = 0;
    incoming.on('data', (chunk: Buffer) => {
      events += chunk.toString().split('\n').length - 1;
    });
    const cut = once(incoming, 'error');
    incoming.resume();
    expect((await cut)[0]).toMatchObject({ code: 'ECONNRESET' });
    expect(events).toBeLessThan(writes);
  });

  it('ends when the server stops', async () => {
    api = await startRawApi();
    const events = api.watch(`${classes}?watch=true`);
    await make('a');
    expect(await next(events, 1)).toEqual(['ADDED a']);
    const ended = events.next().then(
      () => 'ended',
      () => 'cut',
    );
    await api.server.stop();
    expect(await ended).toBe('ended');
    api = await startRawApi();
  });

  it('is cut with its connection', async () => {
    api = await startRawApi();
    await make('a');
    const events = api.watch(`${classes}?watch=true`);
    expect(await next(events, 1)).toEqual(['ADDED a']);
    const cut = expect(events.next()).rejects.toThrow();
    api.server.dropConnections();
    await cut;
  });
});
