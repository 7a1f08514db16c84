import { createFakeClock } from '@holdfast/core/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createKubeClient, type KubeClientDeps } from './create-client.ts';
import { isAlreadyExists, isConflict, isExpired, isNotFound, KubeError } from './kube-error.ts';
import { leases, persistentVolumeClaims, persistentVolumes, secrets } from './resources.ts';
import { sendJson, startHttpServer, statusBody, type TestServer, volume } from './testing/http-server.ts';

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function setUp(
  handle: Parameters<typeof startHttpServer>[0],
  deps: Partial<KubeClientDeps> = {},
): Promise<{ server: TestServer; client: ReturnType<typeof createKubeClient> }> {
  const server = await startHttpServer(handle);
  const client = createKubeClient({ config: server.config, userAgent: 'csi-test/v1', ...deps });
  cleanups.push(() => server.stop());
  cleanups.push(() => client.close());
  return { server, client };
}

async function rejection(promise: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KubeError)) throw new Error(`expected a KubeError, got ${String(error)}`);
  return error;
}

const emptyList = { kind: 'PersistentVolumeList', metadata: { resourceVersion: '7' }, items: [] };

describe('paths and verbs', () => {
  test('get addresses cluster-scoped and namespaced objects and says who asks', async () => {
    const { server, client } = await setUp((_seen, response) => sendJson(response, 200, volume('a')));
    await client.get(persistentVolumes, { name: 'a' });
    await client.get(persistentVolumeClaims, { name: 'a', namespace: 'ns' });
    await client.get(leases, { name: 'a', namespace: 'ns' });
    expect(server.seen.map(({ url }) => url)).toEqual([
      '/api/v1/persistentvolumes/a',
      '/api/v1/namespaces/ns/persistentvolumeclaims/a',
      '/apis/coordination.k8s.io/v1/namespaces/ns/leases/a',
    ]);
    expect(server.seen[0]?.headers['user-agent']).toBe('csi-test/v1');
  });

  test.each(['', '.', '..', 'a/b', 'a%2fb'])('the name %j never reaches the server', async (name) => {
    const { server, client } = await setUp((_seen, response) => sendJson(response, 200, volume('a')));
    const error = await rejection(client.delete(persistentVolumes, { name }));
    expect(error).toMatchObject({ reason: 'BadRequest', message: expect.stringContaining('name of PersistentVolume') });
    expect(server.seen).toHaveLength(0);
  });

  test('a namespaced object without a namespace never reaches the server', async () => {
    const { server, client } = await setUp((_seen, response) => sendJson(response, 200, {}));
    const error = await rejection(client.get(secrets, { name: 'credentials' }));
    expect(error.message).toContain('Secret "credentials" needs a namespace');
    expect(server.seen).toHaveLength(0);
  });

  test('list sends selectors and paging, fills in kind and apiVersion, and returns the continue token', async () => {
    const { server, client } = await setUp((_seen, response) =>
      sendJson(response, 200, {
        metadata: { resourceVersion: '7', continue: 'next' },
        items: [{ metadata: { name: 'a' } }],
      }),
    );
    const page = await client.list(persistentVolumeClaims, {
      namespace: 'ns',
      labelSelector: 'a in (b,c)',
      fieldSelector: 'metadata.name=a',
      limit: 500,
      continueToken: 'x',
    });
    expect(page).toEqual({
      items: [{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'a' } }],
      resourceVersion: '7',
      continueToken: 'next',
    });
    const url = new URL(server.seen[0]?.url ?? '', 'http://x');
    expect(url.pathname).toBe('/api/v1/namespaces/ns/persistentvolumeclaims');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      labelSelector: 'a in (b,c)',
      fieldSelector: 'metadata.name=a',
      limit: '500',
      continue: 'x',
    });
  });

  test.each([
    [{ kind: 'json' as const, operations: [] }, 'application/json-patch+json', ''],
    [{ kind: 'merge' as const, body: {} }, 'application/merge-patch+json', ''],
    [{ kind: 'strategic' as const, body: {} }, 'application/strategic-merge-patch+json', ''],
    [
      { kind: 'apply' as const, body: {}, force: true },
      'application/apply-patch+yaml',
      '?fieldManager=csi-test&force=true',
    ],
  ])('patch %o has its content type', async (patch, contentType, query) => {
    const { server, client } = await setUp((_seen, response) => sendJson(response, 200, volume('a')));
    await client.patch(persistentVolumes, { name: 'a' }, patch, { subresource: 'status' });
    expect(server.seen[0]).toMatchObject({
      method: 'PATCH',
      url: `/api/v1/persistentvolumes/a/status${query}`,
      headers: { 'content-type': contentType },
      body: JSON.stringify('operations' in patch ? patch.operations : patch.body),
    });
  });

  test('delete sends its preconditions', async () => {
    const { server, client } = await setUp((_seen, response) => sendJson(response, 200, { kind: 'Status' }));
    await client.delete(persistentVolumes, { name: 'a' }, { preconditions: { uid: 'u' }, gracePeriodSeconds: 0 });
    expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual({
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      preconditions: { uid: 'u' },
      gracePeriodSeconds: 0,
    });
  });

  test('request returns JSON parsed and text as it is', async () => {
    const { client } = await setUp((seen, response) =>
      seen.url === '/readyz' ? response.end('ok') : sendJson(response, 200, { major: '1' }),
    );
    await expect(client.request('GET', '/readyz')).resolves.toEqual({ status: 200, body: 'ok' });
    await expect(client.request('GET', '/version')).resolves.toEqual({ status: 200, body: { major: '1' } });
  });

  test('a field that no type knows survives a read and a write', async () => {
    const future = volume('a', { spec: { futureField: { deep: [1, '2026-01-01T00:00:00Z'] } } });
    const { server, client } = await setUp((_seen, response) => sendJson(response, 200, future));
    const read = await client.get(persistentVolumes, { name: 'a' });
    await client.create(persistentVolumes, read);
    expect(JSON.parse(server.seen[1]?.body ?? '')).toEqual(future);
  });
});

describe('errors', () => {
  test("carry Kubernetes' reason, message and details", async () => {
    const details = { name: 'a', kind: 'persistentvolumes' };
    const { client } = await setUp((seen, response) =>
      seen.method === 'GET'
        ? sendJson(response, 404, statusBody(404, 'NotFound', 'persistentvolumes "a" not found', details))
        : sendJson(response, 409, statusBody(409, 'AlreadyExists', 'persistentvolumes "a" already exists')),
    );
    const missing = await rejection(client.get(persistentVolumes, { name: 'a' }));
    expect(missing).toMatchObject({
      status: 404,
      reason: 'NotFound',
      message: 'persistentvolumes "a" not found',
      details,
    });
    expect(isNotFound(missing)).toBe(true);
    const taken = await rejection(client.create(persistentVolumes, { metadata: { name: 'a' } }));
    expect([isAlreadyExists(taken), isConflict(taken), isExpired(taken)]).toEqual([true, false, false]);
  });

  test("a proxy's HTML page is named by its title, with a reason from the status", async () => {
    const { client, server } = await setUp((_seen, response) => {
      response.writeHead(502, { 'Content-Type': 'text/html' });
      response.end('<html><head><title>Bad gateway</title></head><body>internal-host-17</body></html>');
    });
    const error = await rejection(client.get(persistentVolumes, { name: 'a' }));
    expect(error).toMatchObject({ status: 502, reason: 'Unknown' });
    expect(error.message).toBe(
      `GET ${server.url}/api/v1/persistentvolumes/a answered 502 with text/html (page "Bad gateway"), not with a Kubernetes Status: is a proxy or another server in between?`,
    );
  });

  test('a success that is not JSON is an error that does not repeat the body', async () => {
    const { client } = await setUp((_seen, response) => {
      response.writeHead(200, { 'Content-Type': 'text/plain' });
      response.end('{"data":{"password":"hunter2"');
    });
    const error = await rejection(client.get(secrets, { name: 'a', namespace: 'ns' }));
    expect(error.message).toContain('where JSON was expected');
    expect(error.message).not.toContain('hunter2');
  });

  test.each([[[]], [{ hello: 'world' }], ['text'], [null]])('the JSON %j is not an object of the API', async (body) => {
    const { client } = await setUp((_seen, response) => sendJson(response, 200, body));
    expect((await rejection(client.get(persistentVolumes, { name: 'a' }))).message).toContain('not a PersistentVolume');
    expect((await rejection(client.list(persistentVolumes))).message).toContain('not a list of PersistentVolume');
  });

  test('a server that nobody runs is named with the reason of the connection', async () => {
    const { server, client } = await setUp(() => {});
    await server.stop();
    const error = await rejection(client.get(persistentVolumes, { name: 'a' }));
    expect(error).toMatchObject({ status: 0, reason: '' });
    expect(error.message).toContain(`GET ${server.url}/api/v1/persistentvolumes/a: connect ECONNREFUSED`);
    expect(error.message).toContain('; is the API server running, and is its address right?');
  });

  test('a server that never answers ends after the request timeout, and its connection with it', async () => {
    const { server, client } = await setUp(() => {}, { requestTimeoutMs: 50 });
    const error = await rejection(client.get(persistentVolumes, { name: 'a' }));
    expect(error.message).toContain('no answer within 0.05 s');
    await vi.waitFor(() => expect(server.connections.every((socket) => socket.closed)).toBe(true));
  });

  test('a body that stops half-way ends after the request timeout', async () => {
    const { client } = await setUp(
      (_seen, response) => {
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.write('{"metadata":');
      },
      { requestTimeoutMs: 50 },
    );
    expect((await rejection(client.get(persistentVolumes, { name: 'a' }))).message).toContain(
      'no answer within 0.05 s',
    );
  });

  test('an abort rejects at once with the reason of the signal', async () => {
    const { server, client } = await setUp(() => {});
    const controller = new AbortController();
    const reason = new Error('leadership lost');
    const pending = client.get(persistentVolumes, { name: 'a' }, { signal: controller.signal });
    await vi.waitFor(() => expect(server.seen).toHaveLength(1));
    controller.abort(reason);
    await expect(pending).rejects.toBe(reason);
    await expect(client.list(persistentVolumes, { signal: controller.signal })).rejects.toBe(reason);
    expect(server.seen).toHaveLength(1);
  });
});

describe('credentials that do not come', () => {
  test('end after the request timeout, or at once when the signal aborts', async () => {
    const server = await startHttpServer(() => {});
    cleanups.push(() => server.stop());
    const config = { ...server.config, credentials: () => new Promise<never>(() => {}) };
    const client = createKubeClient({ config, userAgent: 'test', requestTimeoutMs: 50 });
    const error = await rejection(client.list(persistentVolumes));
    expect(error.message).toContain('no credentials: deadline of 50 ms exceeded');
    const reason = new Error('stopping');
    await expect(client.list(persistentVolumes, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(server.seen).toHaveLength(0);
  });
});

describe('retries', () => {
  test('429 and 503 wait as long as Retry-After says', async () => {
    const clock = createFakeClock();
    const answers = [
      { status: 429, headers: { 'Retry-After': '7' } },
      { status: 503, headers: { 'Retry-After': '3' } },
    ];
    const { server, client } = await setUp(
      (_seen, response) => {
        const busy = answers.shift();
        if (busy) sendJson(response, busy.status, statusBody(busy.status, '', 'busy'), busy.headers);
        else sendJson(response, 201, volume('a'));
      },
      { clock },
    );
    const created = client.create(persistentVolumes, { metadata: { name: 'a' } });
    await vi.waitFor(() => expect(clock.timers()).toBe(1));
    await clock.advance(6999);
    expect(server.seen).toHaveLength(1);
    await clock.advance(1);
    await vi.waitFor(() => expect(clock.timers()).toBe(1));
    expect(server.seen).toHaveLength(2);
    await clock.advance(3000);
    await expect(created).resolves.toMatchObject({ metadata: { name: 'a' } });
    expect(server.seen.map(({ body }) => body)).toEqual(Array(3).fill('{"metadata":{"name":"a"}}'));
  });

  test('a server that stays busy is given up, and the error says how long it asked to wait', async () => {
    const { server, client } = await setUp((_seen, response) =>
      sendJson(response, 429, statusBody(429, 'TooManyRequests', 'busy'), { 'Retry-After': '0' }),
    );
    const error = await rejection(client.list(persistentVolumes));
    expect(error).toMatchObject({ reason: 'TooManyRequests', retryAfterMs: 0 });
    expect(server.seen).toHaveLength(11);
  });

  test('a wait longer than half a minute is left to the caller', async () => {
    const { server, client } = await setUp((_seen, response) =>
      sendJson(response, 503, statusBody(503, 'ServiceUnavailable', 'down'), { 'Retry-After': '120' }),
    );
    expect(await rejection(client.list(persistentVolumes))).toMatchObject({ retryAfterMs: 120_000 });
    expect(server.seen).toHaveLength(1);
  });

  test('a 503 without Retry-After and a 500 are not repeated', async () => {
    const { server, client } = await setUp((_seen, response) =>
      sendJson(response, 503, statusBody(503, 'ServiceUnavailable', 'down')),
    );
    await rejection(client.list(persistentVolumes));
    expect(server.seen).toHaveLength(1);
  });

  test('an idle connection that the server resets is replaced for a read, and reported for a create', async () => {
    let resets = 0;
    const { server, client } = await setUp((_seen, response, request) => {
      if (resets > 0) {
        resets -= 1;
        request.socket.resetAndDestroy();
      } else sendJson(response, 200, emptyList);
    });
    await client.list(persistentVolumes);
    resets = 1;
    await expect(client.list(persistentVolumes)).resolves.toMatchObject({ resourceVersion: '7' });
    expect(server.connections).toHaveLength(2);
    resets = 1;
    const error = await rejection(client.create(persistentVolumes, { metadata: { name: 'a' } }));
    expect(error).toMatchObject({ status: 0, reason: '' });
    expect(server.seen.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('a reset on a new connection is not repeated', async () => {
    const { server, client } = await setUp((_seen, _response, request) => request.socket.resetAndDestroy());
    await rejection(client.list(persistentVolumes));
    expect(server.seen).toHaveLength(1);
  });

  test('a merge patch is repeated after a reset, a JSON patch is not', async () => {
    let resets = 0;
    const { server, client } = await setUp((_seen, response, request) => {
      if (resets-- > 0) request.socket.resetAndDestroy();
      else sendJson(response, 200, volume('a'));
    });
    await client.get(persistentVolumes, { name: 'a' });
    resets = 1;
    await client.patch(persistentVolumes, { name: 'a' }, { kind: 'merge', body: { status: {} } });
    resets = 1;
    await rejection(client.patch(persistentVolumes, { name: 'a' }, { kind: 'json', operations: [] }));
    expect(server.seen.map(({ method }) => method)).toEqual(['GET', 'PATCH', 'PATCH', 'PATCH']);
  });
});

describe('limits', () => {
  test('one connection serves calls that follow each other', async () => {
    const { server, client } = await setUp((_seen, response) => sendJson(response, 200, emptyList));
    for (let call = 0; call < 5; call += 1) await client.list(persistentVolumes);
    expect(server.connections).toHaveLength(1);
  });

  test('no more writes are under way than allowed; reads pass them', async () => {
    const held: (() => void)[] = [];
    const { server, client } = await setUp(
      (seen, response) => {
        if (seen.method === 'GET') sendJson(response, 200, emptyList);
        else held.push(() => sendJson(response, 201, volume('a')));
      },
      { maxWritesInFlight: 2 },
    );
    const creates = ['a', 'b', 'c'].map((name) => client.create(persistentVolumes, { metadata: { name } }));
    await vi.waitFor(() => expect(held).toHaveLength(2));
    await client.list(persistentVolumes);
    expect(server.seen.filter(({ method }) => method === 'POST')).toHaveLength(2);
    held.shift()?.();
    await vi.waitFor(() => expect(held).toHaveLength(2));
    for (const release of held) release();
    await Promise.all(creates);
  });

  test('qps and burst bound the rate only when they are set', async () => {
    const clock = createFakeClock();
    const { server, client } = await setUp((_seen, response) => sendJson(response, 200, emptyList), {
      clock,
      qps: 2,
      burst: 3,
    });
    const calls = Array.from({ length: 5 }, () => client.list(persistentVolumes));
    await Promise.all(calls.slice(0, 3));
    expect(server.seen).toHaveLength(3);
    await clock.advance(500);
    await calls[3];
    expect(server.seen).toHaveLength(4);
    await clock.advance(500);
    await calls[4];

    const free = await setUp((_seen, response) => sendJson(response, 200, emptyList), { clock });
    await Promise.all(Array.from({ length: 50 }, () => free.client.list(persistentVolumes)));
    expect(free.server.seen).toHaveLength(50);
  });
});
