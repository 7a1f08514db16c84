import { once } from 'node:events';
import { createServer, get, type IncomingMessage, request } from 'node:http';
import { type Logger, silentLogger } from '@holdfast/core';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type ApiServer, createApiServer } from './server.ts';

let server: ApiServer;
let replies: number[];
const complaints = vi.fn();
const left = vi.fn();
const log: Logger = { ...silentLogger, error: complaints, debug: left, child: () => log };
const headers = { authorization: 'Bearer secret', 'content-type': 'application/json' };
const configMaps = '/api/v1/namespaces/default/configmaps';

beforeEach(async () => {
  complaints.mockReset();
  left.mockReset();
  replies = [];
  const tokens = { secret: { username: 'admin', groups: ['system:masters'] } };
  server = await createApiServer({ tokens, log, onReply: ({ status }) => replies.push(status) });
});
afterEach(() => server.stop());

function create(path: string, body: object): Promise<Response> {
  return fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function leaves(): Promise<void> {
  await vi.waitFor(() => expect(left).toHaveBeenCalledWith(4, 'client left', expect.anything()));
}

it('tells 200 watches of every change, and goes on when all of them leave at once', { timeout: 30_000 }, async () => {
  const watches = await Promise.all(
    Array.from({ length: 200 }, async () => {
      const sent = get(`${server.url}${configMaps}?watch=true`, { headers, agent: false });
      const [incoming]: IncomingMessage[] = await once(sent, 'response');
      const watch = { sent, lines: 0 };
      incoming?.on('error', () => undefined);
      incoming?.on('data', (chunk: Buffer) => {
        watch.lines += chunk.toString().split('\n').length - 1;
      });
      sent.on('error', () => undefined);
      return watch;
    }),
  );
  for (let index = 0; index < 10; index++) await create(configMaps, { metadata: { name: `c${index}` } });
  await vi.waitFor(() => expect(watches.map(({ lines }) => lines)).toEqual(watches.map(() => 10)), 20_000);
  for (const { sent } of watches) sent.destroy();
  expect((await create(configMaps, { metadata: { name: 'after' } })).status).toBe(201);
  expect(complaints).not.toHaveBeenCalled();
});

it('takes a client that leaves in the middle of its body for no error', async () => {
  const sent = request(`${server.url}${configMaps}`, {
    method: 'POST',
    headers: { ...headers, 'content-length': 100 },
  });
  sent.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    sent.write('{"metadata":', () => resolve());
  });
  await create(configMaps, { metadata: { name: 'other' } });
  sent.destroy();
  await leaves();
  expect(complaints).not.toHaveBeenCalled();
  expect(replies).toEqual([201]);
});

it('takes a client that leaves in the middle of a log for no error', async () => {
  const kubelet = createServer((_request, response) => response.write('line\n'));
  kubelet.listen(0, '127.0.0.1');
  await once(kubelet, 'listening');
  const address = kubelet.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const status = { daemonEndpoints: { kubeletEndpoint: { Port: port } } };
  await create('/api/v1/nodes', { metadata: { name: 'n1' }, status });
  const spec = { nodeName: 'n1', containers: [{ name: 'app', image: 'i' }] };
  await create('/api/v1/namespaces/default/pods', { metadata: { name: 'web' }, spec });
  const sent = get(`${server.url}/api/v1/namespaces/default/pods/web/log?follow=true`, { headers, agent: false });
  sent.on('error', () => undefined);
  const [incoming]: IncomingMessage[] = await once(sent, 'response');
  incoming?.on('error', () => undefined);
  sent.destroy();
  await leaves();
  expect(complaints).not.toHaveBeenCalled();
  kubelet.closeAllConnections();
  kubelet.close();
});
