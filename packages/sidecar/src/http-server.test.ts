import { createRecordingLogger } from '@holdfast/core/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ExitError } from './exit.ts';
import { healthRoute, metricsRoute } from './http-routes.ts';
import { parseListenAddress, type Route, startHttpServer } from './http-server.ts';
import { createMetricsRegistry } from './metrics.ts';
import { serveMetrics } from './observability.ts';

async function serve(routes: Record<string, Route>) {
  const log = createRecordingLogger();
  const controller = new AbortController();
  const server = await startHttpServer({ address: '127.0.0.1:0', routes, log, signal: controller.signal });
  onTestFinished(() => server.stop());
  return { url: `http://127.0.0.1:${server.port}`, server, log, controller };
}

describe('startHttpServer', () => {
  it('answers its routes by path and 404 elsewhere', async () => {
    const { url } = await serve({ '/a': ({ method }) => Promise.resolve({ status: 200, body: method }) });
    expect(await (await fetch(`${url}/a?x=1`)).text()).toBe('GET');
    expect((await fetch(`${url}/constructor`)).status).toBe(404);
    const head = await fetch(`${url}/a`, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe('4');
  });

  it('answers 500 with the message when a route throws, and logs it', async () => {
    const { url, log } = await serve({ '/a': () => Promise.reject(new Error('no driver')) });
    const response = await fetch(`${url}/a`);
    expect(response.status).toBe(500);
    expect(await response.text()).toContain('no driver');
    expect(log.lines.some((line) => line.level === 'error')).toBe(true);
  });

  it('refuses a port in use, naming the address', async () => {
    const { server, log } = await serve({});
    const address = `127.0.0.1:${server.port}`;
    const second = startHttpServer({ address, routes: {}, log, signal: new AbortController().signal });
    await expect(second).rejects.toThrow(ExitError);
    await expect(second).rejects.toThrow(`cannot listen on ${address}`);
  });

  it('stops with its signal, hanging up on open connections', async () => {
    const { url, controller, server } = await serve({ '/hangs': () => new Promise(() => {}) });
    const hanging = fetch(`${url}/hangs`);
    const failed = expect(hanging).rejects.toThrow();
    await fetch(`${url}/other`);
    controller.abort();
    await failed;
    await server.stop();
    await expect(fetch(`${url}/other`)).rejects.toThrow();
  });

  it('tells a route that its caller hung up', async () => {
    const { promise, resolve } = Promise.withResolvers<AbortSignal>();
    const { url } = await serve({
      '/waits': ({ signal }) => {
        resolve(signal);
        return new Promise(() => {});
      },
    });
    const caller = new AbortController();
    const response = fetch(`${url}/waits`, { signal: caller.signal });
    const signal = await promise;
    const aborted = new Promise((done) => {
      signal.addEventListener('abort', done);
    });
    caller.abort();
    await expect(response).rejects.toThrow();
    await aborted;
  });
});

describe('parseListenAddress', () => {
  it.each([
    [':8080', '', 8080],
    ['127.0.0.1:0', '127.0.0.1', 0],
    ['[::1]:80', '::1', 80],
    ['localhost:65535', 'localhost', 65_535],
  ])('%s', (address, host, port) => {
    expect(parseListenAddress(address)).toEqual({ host, port });
  });

  it.each(['', '8080', ':', ':65536', 'a:b', '::1:80', 'http://x:1'])('refuses %j', (address) => {
    expect(() => parseListenAddress(address)).toThrow(/write host:port/);
  });
});

describe('routes', () => {
  it('serve metrics of the process', async () => {
    const reply = await metricsRoute(createMetricsRegistry())({
      method: 'GET',
      path: '/',
      query: new URLSearchParams(),
      signal: AbortSignal.abort(),
    });
    expect(reply.contentType).toContain('text/plain');
    expect(reply.body).toMatch(/^process_start_time_seconds \d+/m);
  });

  it('answer health with ok, or with status and message', async () => {
    const request = { method: 'GET', path: '/', query: new URLSearchParams(), signal: AbortSignal.abort() };
    const healthy = healthRoute(() => Promise.resolve({ isHealthy: true, message: 'ignored' }));
    const ill = healthRoute(() => Promise.resolve({ isHealthy: false, message: 'gone', status: 404 }));
    expect(await healthy(request)).toMatchObject({ status: 200, body: 'ok' });
    expect(await ill(request)).toMatchObject({ status: 404, body: 'gone' });
  });
});

describe('serveMetrics', () => {
  const health = { '/healthz/x': healthRoute(() => Promise.resolve({ isHealthy: true, message: '' })) };

  async function statuses(values: { httpEndpoint: string; metricsAddress: string }): Promise<number[]> {
    const controller = new AbortController();
    const context = { registry: createMetricsRegistry(), log: createRecordingLogger(), fatalExitCode: 255 };
    const server = await serveMetrics({ ...values, metricsPath: '/m' }, context, controller.signal, health);
    if (server === undefined) return [];
    const get = async (path: string): Promise<number> => (await fetch(`http://127.0.0.1:${server.port}${path}`)).status;
    const found = [await get('/m'), await get('/healthz/x')];
    await server.stop();
    return found;
  }

  it('serves health on --http-endpoint only', async () => {
    expect(await statuses({ httpEndpoint: '127.0.0.1:0', metricsAddress: '' })).toEqual([200, 200]);
    expect(await statuses({ httpEndpoint: '', metricsAddress: '127.0.0.1:0' })).toEqual([200, 404]);
    expect(await statuses({ httpEndpoint: '', metricsAddress: '' })).toEqual([]);
  });

  it("fails with the program's exit code", async () => {
    await expect(statuses({ httpEndpoint: 'nonsense', metricsAddress: '' })).rejects.toMatchObject({ exitCode: 255 });
  });
});
