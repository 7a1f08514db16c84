import type { IncomingMessage } from 'node:http';
import { type Clock, type Logger, silentLogger, systemClock } from '@holdfast/core';
import type { KubeConfig } from './config.ts';
import { describeRequest, type ExchangeDeps, exchange, transportError } from './exchange.ts';
import type { KubeClient, ListOptions, RequestOptions, WatchOptions } from './kube-client.ts';
import type { KubeObject } from './object.ts';
import type { Patch } from './patches.ts';
import { createPermits } from './permits.ts';
import { listReply, objectReply, parseReply } from './reply.ts';
import { collectionPath, objectPath } from './resource-path.ts';
import type { Resource } from './resources.ts';
import { createTokenBucket } from './token-bucket.ts';
import { createTransport, readBody } from './transport.ts';
import { readWatch, type WatchEvent } from './watch.ts';

export interface KubeClientDeps {
  config: KubeConfig;
  /** `program/version`; what stands before the slash is the field manager of applies. */
  userAgent: string;
  log?: Logger;
  /** Requests a second. Left out or 0: no limit of ours, priority and fairness is the server's work. */
  qps?: number;
  burst?: number;
  /** Writes that may be under way at once. */
  maxWritesInFlight?: number;
  /** How long a server may take for the head of an answer, and again for its body. */
  requestTimeoutMs?: number;
  clock?: Clock;
}

const WATCH_MIN_SECONDS = 300;
/** A watch that outlives its own time by this much hangs on a dead connection. */
const WATCH_GRACE_MS = 30_000;

interface Call {
  method: string;
  path: string;
  query?: RequestOptions['query'];
  body?: unknown;
  contentType?: string;
  headers?: Readonly<Record<string, string>>;
  isIdempotent?: boolean;
  signal?: AbortSignal | undefined;
}

/** A client for one API server. `close` drops its connections. */
export function createKubeClient(deps: KubeClientDeps): KubeClient & { close(): void } {
  const { config, userAgent, requestTimeoutMs = 60_000 } = deps;
  const clock = deps.clock ?? systemClock;
  const transport = createTransport(config);
  const writes = createPermits(deps.maxWritesInFlight ?? 32);
  const wire: ExchangeDeps = {
    config,
    transport,
    userAgent,
    clock,
    log: deps.log ?? silentLogger,
    bucket: deps.qps ? createTokenBucket({ qps: deps.qps, burst: deps.burst ?? 10, clock }) : undefined,
  };

  function open(call: Call): Promise<IncomingMessage> {
    return exchange(wire, {
      method: call.method,
      path: call.path + queryString(call.query),
      headers: {
        ...(call.body === undefined ? {} : { 'Content-Type': call.contentType ?? 'application/json' }),
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      isIdempotent: call.isIdempotent ?? ['GET', 'HEAD', 'PUT', 'DELETE'].includes(call.method),
      headTimeoutMs: requestTimeoutMs,
      signal: call.signal,
    });
  }

  async function answer(call: Call): Promise<{ status: number; text: string; contentType: string; request: string }> {
    const request = describeRequest(config, call.method, call.path);
    const response = await open(call);
    try {
      const text = await readBody(response, requestTimeoutMs);
      return { status: response.statusCode ?? 0, text, contentType: response.headers['content-type'] ?? '', request };
    } catch (error) {
      throw transportError(request, error, call.signal);
    }
  }

  async function read(call: Call): Promise<{ reply: unknown; request: string }> {
    const { text, ...context } = await answer(call);
    return { reply: parseReply(text, context), request: context.request };
  }

  async function write<T extends KubeObject>(resource: Resource<T>, call: Call): Promise<T> {
    const { reply, request } = await writes.run(() => read(call), call.signal);
    return objectReply(reply, resource, request);
  }

  async function* watch<T extends KubeObject>(
    resource: Resource<T>,
    options: WatchOptions = {},
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const { signal } = options;
    const timeoutSeconds = options.timeoutSeconds ?? WATCH_MIN_SECONDS + Math.floor(Math.random() * WATCH_MIN_SECONDS);
    const path = collectionPath(resource, options.namespace);
    const request = describeRequest(config, 'GET', `${path} (watch)`);
    const response = await open({ method: 'GET', path, query: watchQuery(options, timeoutSeconds), signal });
    const stopTimer = clock.setTimer(timeoutSeconds * 1000 + WATCH_GRACE_MS, () =>
      response.destroy(new Error(`the server did not end the watch after ${timeoutSeconds} s`)),
    );
    try {
      for await (const events of readWatch(response, resource)) {
        for (const event of events) {
          yield event;
          signal?.throwIfAborted();
        }
      }
      signal?.throwIfAborted();
    } catch (error) {
      throw transportError(request, error, signal);
    } finally {
      stopTimer();
    }
  }

  return {
    watch,
    async get(resource, ref, options) {
      const { reply, request } = await read({
        method: 'GET',
        path: objectPath(resource, ref),
        signal: options?.signal,
      });
      return objectReply(reply, resource, request);
    },
    async list(resource, options = {}) {
      const path = collectionPath(resource, options.namespace);
      const { reply, request } = await read({ method: 'GET', path, query: listQuery(options), signal: options.signal });
      return listReply(reply, resource, request);
    },
    async create(resource, object, options) {
      return write(resource, {
        method: 'POST',
        path: collectionPath(resource, object.metadata.namespace),
        query: { fieldManager: options?.fieldManager },
        body: object,
        signal: options?.signal,
      });
    },
    async patch(resource, ref, patch, options) {
      const fieldManager =
        options?.fieldManager ?? (patch.kind === 'apply' ? userAgent.split('/', 1).join('') : undefined);
      return write(resource, {
        method: 'PATCH',
        path: objectPath(resource, ref, options?.subresource),
        query: { fieldManager, force: patch.kind === 'apply' ? patch.force : undefined },
        body: patch.kind === 'json' ? patch.operations : patch.body,
        contentType: PATCH_TYPES[patch.kind],
        // A JSON patch may append, and a strategic one may too; these two state a result.
        isIdempotent: patch.kind === 'merge' || patch.kind === 'apply',
        signal: options?.signal,
      });
    },
    async replace(resource, ref, object, options) {
      return write(resource, {
        method: 'PUT',
        path: objectPath(resource, ref),
        query: { fieldManager: options?.fieldManager },
        body: object,
        signal: options?.signal,
      });
    },
    async delete(resource, ref, options) {
      const { preconditions, gracePeriodSeconds } = options ?? {};
      const body = { kind: 'DeleteOptions', apiVersion: 'v1', preconditions, gracePeriodSeconds };
      const call: Call = { method: 'DELETE', path: objectPath(resource, ref), body, signal: options?.signal };
      await writes.run(() => answer(call), call.signal);
    },
    async request(method, path, body, options = {}) {
      const { status, text, contentType } = await answer({ ...options, method, path, body });
      const isJson = /\bjson\b/.test(contentType);
      return {
        status,
        body: isJson ? parseReply(text, { request: describeRequest(config, method, path), status, contentType }) : text,
      };
    },
    close: () => transport.close(),
  };
}

const PATCH_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  // JSON is YAML, and servers before 1.32 know only this name.
  apply: 'application/apply-patch+yaml',
} as const satisfies Record<Patch['kind'], string>;

function listQuery(options: ListOptions): RequestOptions['query'] {
  return {
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: options.limit,
    continue: options.continueToken,
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: options.resourceVersionMatch,
  };
}

function watchQuery(options: WatchOptions, timeoutSeconds: number): RequestOptions['query'] {
  return {
    watch: true,
    allowWatchBookmarks: true,
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    resourceVersion: options.resourceVersion,
    timeoutSeconds,
    // The server demands the match with sendInitialEvents (KEP-3157).
    ...(options.sendInitialEvents ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' } : {}),
  };
}

function queryString(query: RequestOptions['query'] = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
