import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { errorMessage, type Logger } from '@holdfast/core';
import { ExitError } from './exit.ts';

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Aborts when the caller hangs up. */
  readonly signal: AbortSignal;
}

export interface HttpReply {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Route = (request: HttpRequest) => Promise<HttpReply>;

export interface HttpServer {
  readonly port: number;
  stop(): Promise<void>;
}

export interface HttpServerDeps {
  /** Go's form: `:8080`, `127.0.0.1:8080`, `[::1]:8080`. Port 0 takes a free one. */
  readonly address: string;
  /** By exact path. */
  readonly routes: Readonly<Record<string, Route>>;
  readonly log: Logger;
  /** Stops the server when it aborts. */
  readonly signal: AbortSignal;
}

/** @throws ExitError when the address cannot be read or taken */
export type ServeHttp = (deps: HttpServerDeps) => Promise<HttpServer>;

/** @throws ExitError when the address cannot be read or taken */
export async function startHttpServer(deps: HttpServerDeps): Promise<HttpServer> {
  const { address, routes, log, signal } = deps;
  const { host, port } = parseListenAddress(address);
  const server = createServer((request, response) => {
    void answer(request, response, routes, log);
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new ExitError(`cannot listen on ${address}: ${errorMessage(error)}`, { cause: error }));
    });
    server.listen({ port, ...(host === '' ? {} : { host }) }, resolve);
  });
  server.removeAllListeners('error').on('error', (error) => log.error('HTTP server failed', { err: error }));

  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      signal.removeEventListener('abort', onAbort);
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const onAbort = (): void => void stop();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) await stop();

  const bound = server.address();
  const boundPort = typeof bound === 'object' && bound !== null ? bound.port : port;
  log.info('HTTP server is listening', { address, port: boundPort, paths: Object.keys(routes).join(' ') });
  return { port: boundPort, stop };
}

/** @throws ExitError */
export function parseListenAddress(address: string): { host: string; port: number } {
  const [, bracketed, plain = '', digits = ''] = /^(?:\[([^\]]*)\]|([^:]*)):([0-9]{1,5})$/.exec(address) ?? [];
  const port = digits === '' ? Number.NaN : Number(digits);
  if (!(port <= 65_535)) {
    throw new ExitError(`invalid address ${JSON.stringify(address)}: write host:port or :port, such as :8080`);
  }
  return { host: bracketed ?? plain, port };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  routes: HttpServerDeps['routes'],
  log: Logger,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the caller hung up')));
  const [path, query] = splitOnce(request.url ?? '/');
  const asked = { method: request.method ?? 'GET', path, query: new URLSearchParams(query), signal: gone.signal };
  const reply = await replyTo(asked, routes, log);
  response.writeHead(reply.status, {
    ...reply.headers,
    'Content-Type': reply.contentType ?? 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(reply.body),
  });
  response.end(request.method === 'HEAD' ? undefined : reply.body);
}

function splitOnce(url: string): [string, string] {
  const at = url.indexOf('?');
  return at === -1 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
}

async function replyTo(request: HttpRequest, routes: HttpServerDeps['routes'], log: Logger): Promise<HttpReply> {
  const route = Object.hasOwn(routes, request.path) ? routes[request.path] : undefined;
  if (route === undefined) return { status: 404, body: '404 page not found\n' };
  try {
    return await route(request);
  } catch (error) {
    log.error('HTTP request failed', { path: request.path, err: error });
    return { status: 500, body: `${errorMessage(error)}\n` };
  }
}
