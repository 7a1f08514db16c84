import { createReadStream } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { errorMessage, type Logger } from '@holdfast/core';
import type { KubeletPaths } from '../paths.ts';

export interface KubeletHttpDeps {
  readonly paths: KubeletPaths;
  readonly port: number;
  readonly log: Logger;
  /** The log file of a container; undefined when there is none. */
  readonly logPath: (namespace: string, pod: string, container: string) => string | undefined;
  readonly isRunning: (namespace: string, pod: string, container: string) => boolean;
  readonly volumeStats: (namespace: string, pod: string) => Promise<unknown>;
  readonly pods: () => unknown;
  readonly exec: (namespace: string, pod: string, container: string, command: readonly string[]) => Promise<unknown>;
}

export interface KubeletHttp {
  readonly port: number;
  stop(): Promise<void>;
}

const followPollMs = 200;

/**
 * kubelet's own HTTP server: what may be read is on a loopback port, where the API server finds it by the node's status.
 * Running commands in pods is on a socket in kubelet's folder alone, for its owner: this server asks nobody for a password.
 */
export async function startKubeletHttp(deps: KubeletHttpDeps): Promise<KubeletHttp> {
  const socket = join(deps.paths.root, 'kubelet.sock');
  const reading = createServer((request, response) => void answer(deps, request, response, false));
  const running = createServer((request, response) => void answer(deps, request, response, true));
  await listen(reading, { host: '127.0.0.1', port: deps.port });
  await rm(socket, { force: true });
  await listen(running, { path: socket });
  await chmod(socket, 0o600);
  const address = reading.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : deps.port,
    stop: async () => {
      await Promise.all([close(reading), close(running)]);
    },
  };
}

async function answer(
  deps: KubeletHttpDeps,
  request: IncomingMessage,
  response: ServerResponse,
  mayExec: boolean,
): Promise<void> {
  const { path, query } = splitTarget(request);
  const parts = decodeParts(path);
  if (parts === undefined) {
    sendJson(response, 400, { error: `${path} is not a path: a % in it stands before two hexadecimal digits` });
    return;
  }
  const [first, second, third, fourth] = parts;
  try {
    if (first === 'healthz') {
      response.end('ok');
    } else if (first === 'containerLogs' && second !== undefined && third !== undefined && fourth !== undefined) {
      await sendLog(deps, [second, third, fourth], query, response);
    } else if (first === 'pods' && second === undefined) {
      sendJson(response, 200, deps.pods());
    } else if (first === 'pods' && second !== undefined && third !== undefined && fourth === 'volumes') {
      sendJson(response, 200, await deps.volumeStats(second, third));
    } else if (mayExec && request.method === 'POST' && first === 'exec' && second && third && fourth) {
      sendJson(response, 200, await deps.exec(second, third, fourth, query.getAll('command')));
    } else {
      sendJson(response, 404, { error: `${path} is not served here` });
    }
  } catch (error) {
    deps.log.warn('Request failed', { path, error: errorMessage(error) });
    sendJson(response, 500, { error: errorMessage(error) });
  }
}

/** By hand, because `URL` refuses what a client may well send, such as `//`. */
function splitTarget({ url: target = '/' }: IncomingMessage): {
  readonly path: string;
  readonly query: URLSearchParams;
} {
  const mark = target.indexOf('?');
  return mark < 0
    ? { path: target, query: new URLSearchParams() }
    : { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark + 1)) };
}

function decodeParts(path: string): readonly string[] | undefined {
  try {
    return path.split('/').slice(1).map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

async function sendLog(
  deps: KubeletHttpDeps,
  [namespace, pod, container]: readonly [string, string, string],
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const path = deps.logPath(namespace, pod, container);
  if (path === undefined) {
    sendJson(response, 404, { error: `container "${container}" of pod ${namespace}/${pod} has no log on this node` });
    return;
  }
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  let offset = await tailOffset(path, query.get('tailLines'));
  const isFollowing = query.get('follow') === 'true';
  for (;;) {
    // Asked before reading, so that the last words of a container that ends meanwhile are still read.
    const isRunning = deps.isRunning(namespace, pod, container);
    offset += await copy(path, offset, response);
    if (!isFollowing || !isRunning || response.destroyed) {
      response.end();
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, followPollMs));
  }
}

async function copy(path: string, start: number, response: ServerResponse): Promise<number> {
  let count = 0;
  for await (const chunk of createReadStream(path, { start })) {
    count += Buffer.byteLength(chunk);
    response.write(chunk);
  }
  return count;
}

/** Where the last lines begin, in bytes. */
async function tailOffset(path: string, tailLines: string | null): Promise<number> {
  const count = tailLines === null ? Number.NaN : Number(tailLines);
  if (!Number.isInteger(count) || count < 0) {
    return 0;
  }
  const lineEnds: number[] = [];
  let offset = 0;
  for await (const chunk of createReadStream(path)) {
    const bytes = Buffer.from(chunk);
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) {
      lineEnds.push(offset + at + 1);
    }
    offset += bytes.length;
  }
  const isOpen = lineEnds.at(-1) !== offset;
  const starts = [0, ...(isOpen ? lineEnds : lineEnds.slice(0, -1))];
  return count === 0 ? offset : (starts.at(-count) ?? 0);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function listen(server: Server, options: { host?: string; port?: number; path?: string }): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(options, () => resolve());
  return promise;
}

function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  return promise;
}
