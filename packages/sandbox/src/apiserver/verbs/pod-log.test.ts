import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RawApi, startRawApi } from '../../testing/raw-api.ts';
import type { JsonObject } from '../json.ts';

let api: RawApi;
let kubelet: Server;
let asked: string[];

const pods = '/api/v1/namespaces/default/pods';

async function makePod(name: string, nodeName: string | null, ...containers: string[]): Promise<void> {
  const spec: JsonObject = { nodeName, containers: containers.map((container) => ({ name: container, image: 'i' })) };
  expect((await api.call('POST', pods, { metadata: { name }, spec })).status).toBe(201);
}

beforeEach(async () => {
  api = await startRawApi();
  asked = [];
  kubelet = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.statusCode = request.url?.includes('/silent') === true ? 404 : 200;
    response.end('one\ntwo\n');
  });
  await new Promise<void>((resolve) => kubelet.listen(0, '127.0.0.1', resolve));
  const address = kubelet.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await api.call('POST', '/api/v1/nodes', { metadata: { name: 'n1' } });
  await api.call('POST', '/api/v1/nodes', { metadata: { name: 'n2' } });
  // The address is not asked: it is the client's word.
  const status = {
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
    addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
  };
  await api.patch('/api/v1/nodes/n1/status', 'merge', { status });
});
afterEach(async () => {
  await api.stop();
  await new Promise((resolve) => kubelet.close(resolve));
});

describe('the log of a pod', () => {
  it('comes from the kubelet of its node', async () => {
    await makePod('web', 'n1', 'app');
    const reply = await api.call('GET', `${pods}/web/log?tailLines=2&evil=1`);
    expect(reply).toMatchObject({ status: 200, body: { text: 'one\ntwo\n' } });
    expect(asked).toEqual(['/containerLogs/default/web/app?tailLines=2']);
  });

  it('ends after as many bytes as are asked for', async () => {
    await makePod('short', 'n1', 'app');
    const reply = await api.call('GET', `${pods}/short/log?limitBytes=5`);
    expect(reply).toMatchObject({ status: 200, body: { text: 'one\nt' } });
  });

  it('says that it has no times, rather than to leave them out unsaid', async () => {
    await makePod('timeless', 'n1', 'app');
    const reply = await api.call('GET', `${pods}/timeless/log?timestamps=true&sinceSeconds=5`);
    expect(reply.headers.get('warning')).toContain('timestamps, sinceSeconds ignored');
    expect(reply.body).toEqual({ text: 'one\ntwo\n' });
  });

  it.each([
    ['silent/log?previous=true', 400, 'previous terminated container "app" in pod "silent" not found'],
    ['silent/log?limitBytes=0', 400, 'limitBytes: "0" is not a number of bytes above 0'],
    ['none/log', 404, 'pods "none" not found'],
    ['two/log', 400, 'a container name must be specified for pod two, choose one of: [a b]'],
    ['two/log?container=c', 400, 'container c is not valid for pod two'],
    ['waiting/log', 400, 'pod waiting does not have a host assigned'],
    ['elsewhere/log', 404, 'node "n2" has no kubelet that serves logs'],
    ['silent/log', 404, 'has no log on its node'],
  ])('%s answers %i', async (path, status, message) => {
    await makePod('two', 'n1', 'a', 'b');
    await makePod('waiting', null, 'app');
    await makePod('elsewhere', 'n2', 'app');
    await makePod('silent', 'n1', 'app');
    const reply = await api.call('GET', `${pods}/${path}`);
    expect(reply.body).toMatchObject({ code: status, message: expect.stringContaining(message) });
  });
});
