import type { IncomingMessage } from 'node:http';
import { type Clock, DeadlineError, deadlineSignal, errorMessage, type Logger } from '@holdfast/core';
import type { Credentials, KubeConfig } from './config.ts';
import { KubeError } from './kube-error.ts';
import { retryAfterMs } from './retry-after.ts';
import { errorFromAnswer } from './status.ts';
import type { TokenBucket } from './token-bucket.ts';
import { ConnectionError, readBody, type Transport } from './transport.ts';

export interface Exchange {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Doing it twice ends like doing it once, so it may be sent again after a connection broke. */
  readonly isIdempotent: boolean;
  /** How long each attempt may take until the head of the answer is here. */
  readonly headTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ExchangeDeps {
  readonly config: KubeConfig;
  readonly transport: Transport;
  readonly userAgent: string;
  readonly bucket: TokenBucket | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** client-go gives up after as many answers that ask to come back later. */
const MAX_BUSY_RETRIES = 10;
const MAX_RECONNECTS = 3;
/** Longer waits are the caller's business: it gets `retryAfterMs` with the error. */
const MAX_RETRY_AFTER_MS = 30_000;
/** For a 429 that names no time. */
const DEFAULT_RETRY_AFTER_MS = 1000;
const UNREACHABLE_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
]);
const UNREACHABLE_REMEDY = 'is the API server running, and is its address right?';

/**
 * Sends a request until an answer below 400 comes, and returns it with its body unread. Sent again: after a stale
 * kept-alive socket, once after a 401 with credentials that have changed since, and when the server asks to come later.
 * @throws KubeError
 */
export async function exchange(deps: ExchangeDeps, request: Exchange): Promise<IncomingMessage> {
  const { clock, log } = deps;
  const target = describeRequest(deps.config, request.method, request.path);
  let credentials = await currentCredentials(deps, target, request);
  let busyRetries = 0;
  let reconnects = 0;
  let hasRefreshed = false;

  for (;;) {
    await deps.bucket?.take(request.signal);
    const startedMs = clock.monotonicMs();
    let response: IncomingMessage;
    try {
      response = await deps.transport.send({
        ...request,
        headers: withIdentity(request, credentials, deps),
        credentials,
      });
    } catch (error) {
      if (isStaleSocket(error) && request.isIdempotent && reconnects < MAX_RECONNECTS) {
        reconnects += 1;
        continue;
      }
      throw transportError(target, error, request.signal);
    }
    const status = response.statusCode ?? 0;
    log.debug(6, 'API request', { request: target, status, tookMs: Math.round(clock.monotonicMs() - startedMs) });
    if (status >= 200 && status < 300) return response;

    const error = await answerError(response, target, request);
    if (status === 401 && !hasRefreshed) {
      hasRefreshed = true;
      const fresh = await currentCredentials(deps, target, request, { isRejected: true });
      if (fresh.authorization !== credentials.authorization || fresh.tls !== credentials.tls) {
        credentials = fresh;
        continue;
      }
    }
    const waitMs = busyWaitMs(status, response.headers['retry-after']);
    if (waitMs === undefined || waitMs > MAX_RETRY_AFTER_MS || busyRetries >= MAX_BUSY_RETRIES) throw error;
    busyRetries += 1;
    log.debug(3, 'API server asked to come back later', { request: target, status, waitMs, attempt: busyRetries });
    await clock.sleep(waitMs, request.signal);
    credentials = await currentCredentials(deps, target, request);
  }
}

/** Credentials may come from a plug-in, which may hang like any server. */
async function currentCredentials(
  deps: ExchangeDeps,
  target: string,
  request: Exchange,
  options?: { isRejected?: boolean },
): Promise<Credentials> {
  const deadline = deadlineSignal(request.headTimeoutMs, request.signal);
  try {
    return await Promise.race([deps.config.credentials(options), rejectOnAbort(deadline.signal)]);
  } catch (error) {
    if (request.signal?.aborted) throw request.signal.reason;
    const message = `${target}: no credentials: ${errorMessage(error)}`;
    throw new KubeError({ status: 0, reason: '', message, cause: error });
  } finally {
    deadline.cancel();
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function withIdentity(request: Exchange, credentials: Credentials, deps: ExchangeDeps): Record<string, string> {
  return {
    Accept: 'application/json',
    'User-Agent': deps.userAgent,
    ...(request.body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(request.body)) }),
    ...request.headers,
    ...credentials.headers,
    ...(credentials.authorization === undefined ? {} : { Authorization: credentials.authorization }),
  };
}

async function answerError(response: IncomingMessage, target: string, request: Exchange): Promise<KubeError> {
  let body: string;
  try {
    body = await readBody(response, request.headTimeoutMs);
  } catch (error) {
    throw transportError(target, error, request.signal);
  }
  const retryAfter = response.headers['retry-after'];
  return errorFromAnswer(response.statusCode ?? 0, body, {
    request: target,
    method: request.method,
    contentType: response.headers['content-type'] ?? '',
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}

/** client-go retries 429, and any 5xx that says when. */
function busyWaitMs(status: number, header: string | undefined): number | undefined {
  const waitMs = retryAfterMs(header);
  if (status === 429) return waitMs ?? DEFAULT_RETRY_AFTER_MS;
  return status >= 500 ? waitMs : undefined;
}

function isStaleSocket(error: unknown): boolean {
  return error instanceof ConnectionError && error.wasSocketReused;
}

/** Says which request failed and why. An abort keeps the signal's own reason. */
export function transportError(target: string, error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof KubeError) return error;
  const cause = error instanceof ConnectionError ? error.cause : error;
  const reason =
    cause instanceof DeadlineError
      ? `no answer within ${cause.timeoutMs / 1000} s`
      : `${errorMessage(cause)}${isUnreachable(cause) ? `; ${UNREACHABLE_REMEDY}` : ''}`;
  const message = `${target}: ${reason}`;
  return new KubeError({ status: 0, reason: '', message, cause });
}

/** Nobody was there to talk to. A connection that broke is another matter: it is tried again. */
function isUnreachable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && UNREACHABLE_CODES.has(String(error.code));
}

/** `GET https://host:port/path`: how messages name a request. */
export function describeRequest(config: KubeConfig, method: string, path: string): string {
  return `${method} ${config.server}${path.split('?', 1).join('')}`;
}
