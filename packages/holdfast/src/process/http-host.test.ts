import { silentLogger } from '@holdfast/core';
import type { Route } from '@holdfast/sidecar';
import { expect, it } from 'vitest';
import { createHttpHost, type HttpHost } from './http-host.ts';

const says =
  (status: number, body: string): Route =>
  () =>
    Promise.resolve({ status, body });

const { signal } = new AbortController();
const serve = (host: HttpHost, role: string, routes: Record<string, Route>) =>
  host.serveFor(role)({ address: ':1', routes, log: silentLogger, signal });
const ask = (host: HttpHost, path: string) =>
  host.routes[path]?.({ method: 'GET', path, query: new URLSearchParams(), signal });

it('a check fails when one of the roles fails, and says which; each can be asked alone', async () => {
  const host = createHttpHost('/metrics');
  expect(await ask(host, '/healthz')).toBeUndefined();
  await serve(host, 'one', { '/healthz': says(200, 'ok') });
  expect(await ask(host, '/healthz')).toEqual({ status: 200, body: 'ok' });
  const two = await serve(host, 'two', { '/healthz': says(503, 'no socket') });
  expect(await ask(host, '/healthz')).toEqual({ status: 503, body: 'two: no socket' });
  expect(await ask(host, '/healthz/one')).toEqual({ status: 200, body: 'ok' });
  expect(await ask(host, '/healthz/two')).toEqual({ status: 503, body: 'no socket' });
  await two.stop();
  expect(await ask(host, '/healthz')).toEqual({ status: 200, body: 'ok' });
  expect(await ask(host, '/healthz/two')).toBeUndefined();
});

it('metrics of all are served as long as one role serves them', async () => {
  const host = createHttpHost('/m');
  const one = await serve(host, 'one', { '/m': says(200, 'all') });
  await serve(host, 'two', { '/m': says(200, 'all') });
  await one.stop();
  expect(await ask(host, '/m')).toEqual({ status: 200, body: 'all' });
  expect(Object.keys(host.routes)).toEqual(['/m']);
});

it('an answer to anything else is that of all who have one', async () => {
  const host = createHttpHost('/metrics');
  await serve(host, 'one', { '/debug/x': says(404, 'unknown') });
  await serve(host, 'two', { '/debug/x': says(400, 'no such word') });
  expect(await ask(host, '/debug/x')).toEqual({ status: 404, body: 'one: unknown\ntwo: no such word' });
  await serve(host, 'three', { '/debug/x': says(200, 'it waits') });
  expect(await ask(host, '/debug/x')).toEqual({ status: 200, body: 'three: it waits' });
  await serve(host, 'four', { '/debug/x': says(200, 'it does not') });
  expect(await ask(host, '/debug/x')).toEqual({ status: 200, body: 'three: it waits\nfour: it does not' });
});
