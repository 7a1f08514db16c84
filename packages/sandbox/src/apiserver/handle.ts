import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '@holdfast/core';
import { errorMessage } from '@holdfast/core';
import { actingUser } from './access/impersonation.ts';
import { attributesOf } from './access/request-attributes.ts';
import { refusalOf } from './access/require.ts';
import type { Answer, AnswerContext, ApiRequest } from './dispatch.ts';
import { answer } from './dispatch.ts';
import type { Interceptor, Intervention, RequestLogEntry, SeenRequest } from './interception.ts';
import { decodeProtobuf, protobufContentType } from './protobuf/decode.ts';
import { chooseRepresentation, renderObject } from './representation.ts';
import { readRequestBody, refuseDeep } from './request-body.ts';
import { type ResourceRoute, routeResource } from './route.ts';
import { ApiError, noSuchPath, statusBody, unauthorized } from './status.ts';
import { isTrue, readListOptions } from './verbs/list-options.ts';
import { sendPodLog } from './verbs/pod-log.ts';
import { watchObjects } from './verbs/watch.ts';

export interface HandlerDeps extends AnswerContext {
  readonly log: Logger;
  readonly bookmarkIntervalMs: number;
  readonly intercept: Interceptor;
  readonly onReply: (entry: RequestLogEntry) => void;
  readonly signal: AbortSignal;
}

/** One request from its first byte to its last. Never throws. */
export function createHandler(
  deps: HandlerDeps,
): (incoming: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (incoming, response) => {
    try {
      await handle(deps, incoming, response);
    } catch (error) {
      if (hasLeft(incoming, response))
        deps.log.debug(4, 'client left', { url: incoming.url, error: errorMessage(error) });
      else if (!(error instanceof ApiError))
        deps.log.error('request failed', { url: incoming.url, error: errorMessage(error), stack: stackOf(error) });
      sendError(response, error);
    }
  };
}

/** Before its request was whole, or in the middle of the answer, as whoever ends `kubectl logs -f` does. */
function hasLeft(incoming: IncomingMessage, response: ServerResponse): boolean {
  return (incoming.destroyed && !incoming.complete) || (response.destroyed && !response.writableFinished);
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}

async function handle(deps: HandlerDeps, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const request = await readRequest(deps, incoming);
  const seen = asSeen(request);
  const isWatch = seen.verb === 'watch';
  let isLogged = false;
  const logReply = (status: number): void => {
    if (isLogged) return;
    isLogged = true;
    deps.onReply({ ...seen, status });
    deps.log.debug(5, 'request', { verb: seen.verb, path: seen.path, status, userAgent: seen.userAgent });
  };

  const refusal = refusalOf(deps.authorizer, request);
  if (refusal !== undefined) {
    logReply(refusal.code);
    send(response, errorAnswer(refusal));
    return;
  }
  const intervention = await deps.intercept(seen);
  if (intervention !== undefined && 'status' in intervention) {
    logReply(intervention.status);
    sendIntervention(response, intervention);
    return;
  }
  if (intervention !== undefined && 'drop' in intervention && (intervention.drop === 'before' || isWatch)) {
    logReply(0);
    incoming.socket.destroy();
    return;
  }
  if (isWatch) {
    if (intervention !== undefined && 'holdReply' in intervention) await intervention.holdReply;
    response.once('close', () => logReply(response.statusCode));
    await watch(deps, request, response, logReply);
    return;
  }
  if (seen.method === 'GET' && seen.resource === 'pods' && seen.subresource === 'log') {
    response.once('close', () => logReply(response.statusCode));
    await sendPodLog(deps, { namespace: seen.namespace, name: seen.name ?? '' }, request.query, response, deps.signal);
    return;
  }
  const reply = answerOrError(deps, request);
  if (intervention !== undefined && 'drop' in intervention) {
    logReply(0);
    incoming.socket.destroy();
    return;
  }
  if (intervention !== undefined) await intervention.holdReply;
  logReply(reply.status);
  send(response, reply, request.warnings, isPretty(request));
}

/** An error is a reply like any other: a test may hold it back or drop it too. */
function answerOrError(deps: HandlerDeps, request: ApiRequest): Answer {
  try {
    return answer(deps, request);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return errorAnswer(error);
  }
}

async function watch(
  deps: HandlerDeps,
  request: ApiRequest,
  response: ServerResponse,
  logReply: (status: number) => void,
): Promise<void> {
  const { route } = request;
  if (route === undefined) throw noSuchPath();
  const { kind, namespace, name } = route;
  const as = chooseRepresentation(request.accept, request.query.get('includeObject'), 'object');
  const read = readListOptions(request.query);
  // A watch of one object is a watch of the collection with its name selected.
  const options = name === undefined ? read : { ...read, fieldSelector: `metadata.name=${name}` };
  const started = watchObjects(
    deps,
    {
      kind,
      namespace,
      options,
      render: (object, isFirst) => renderObject(kind, object, as, deps.clock.nowMs(), isFirst),
      bookmarkIntervalMs: deps.bookmarkIntervalMs,
      signal: deps.signal,
    },
    response,
  );
  if (response.headersSent) logReply(200);
  await started;
}

async function readRequest(deps: HandlerDeps, incoming: IncomingMessage): Promise<ApiRequest> {
  const url = incoming.url ?? '/';
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const user = deps.authenticator.ofHeader(incoming.headers.authorization);
  const bytes = await readRequestBody(incoming);
  if (user === undefined) throw unauthorized();
  const sentType = (incoming.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  const { body, contentType } = asJson(bytes, sentType);
  if (contentType !== 'application/yaml') refuseDeep(body);
  return {
    method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    accept: incoming.headers.accept || '*/*',
    contentType,
    userAgent: incoming.headers['user-agent'] ?? '',
    user: actingUser(deps.authorizer, user, incoming.headersDistinct),
    body,
    route: routeResource(path),
    warnings: [],
  };
}

/**
 * Go's typed clients send protobuf: past this line there is only JSON. A kind that is not read as protobuf keeps its type, and
 * is refused for it where the body is read, so that a path that is not there is answered 404 all the same.
 */
function asJson(bytes: Buffer, contentType: string): { body: string; contentType: string } {
  if (contentType !== protobufContentType || bytes.length === 0) return { body: bytes.toString('utf8'), contentType };
  try {
    return { body: JSON.stringify(decodeProtobuf(bytes)), contentType: 'application/json' };
  } catch (error) {
    if (error instanceof ApiError && error.code === 415) return { body: '', contentType };
    throw error;
  }
}

const verbs: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch' };

function verbOf({ method, query, route }: ApiRequest): string {
  if (route === undefined) return '';
  if (method === 'GET' || method === 'HEAD') {
    if (route.name !== undefined) return 'get';
    return isTrue(query.get('watch')) ? 'watch' : 'list';
  }
  if (method === 'DELETE') return route.name === undefined ? 'deletecollection' : 'delete';
  return verbs[method] ?? '';
}

type SeenTarget = Pick<SeenRequest, 'verb' | 'resource' | 'namespace' | 'name' | 'subresource'>;

function asSeen(request: ApiRequest): SeenRequest {
  const { method, path, query, userAgent, user, route } = request;
  return {
    method,
    path,
    query: query.toString(),
    userAgent,
    user: user.username,
    ...(route === undefined ? seenPath(request) : { verb: verbOf(request), ...seenRoute(route) }),
    body: parsed(request.body),
  };
}

function seenRoute({ kind, namespace, name, subresource }: ResourceRoute): Omit<SeenTarget, 'verb'> {
  return { resource: kind.plural, namespace, name, subresource };
}

/** A review, a resource that the server has not, or a path that names none: the verb of that is its method, as upstream's. */
function seenPath({ method, path, query }: ApiRequest): SeenTarget {
  const wanted = attributesOf(method, path, query);
  if (wanted.kind === 'path')
    return { verb: method.toLowerCase(), resource: '', namespace: undefined, name: undefined, subresource: undefined };
  const [namespace, name, subresource] = [wanted.namespace, wanted.name, wanted.subresource].map((text) =>
    text === '' ? undefined : text,
  );
  return { verb: wanted.verb, resource: wanted.resource, namespace, name, subresource };
}

function parsed(body: string): unknown {
  if (body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

/** RFC 7234's `Warning`, which kubectl prints. As upstream, a client is told so many things and no more. */
function warningHeaders(warnings: readonly string[]): string[] {
  return warnings.slice(0, 16).map((warning) => {
    const text = warning.slice(0, 256).replace(/[^\x20-\x7e]/g, '?');
    return `299 - "${text.replace(/[\\"]/g, '\\$&')}"`;
  });
}

function isPretty({ query, userAgent }: ApiRequest): boolean {
  const asked = query.get('pretty');
  // Who looks with these reads it himself.
  return asked === null ? /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent) : isTrue(asked);
}

function send(response: ServerResponse, reply: Answer, warnings: readonly string[] = [], pretty = false): void {
  const { body } = reply;
  const content =
    typeof body === 'string' || body instanceof Uint8Array
      ? body
      : pretty
        ? JSON.stringify(body, undefined, 2)
        : `${JSON.stringify(body)}\n`;
  if (warnings.length > 0) response.setHeader('warning', warningHeaders(warnings));
  response.writeHead(reply.status, {
    'content-type': reply.contentType,
    'content-length': Buffer.byteLength(content),
    'cache-control': 'no-cache, private',
    ...reply.headers,
  });
  response.end(content);
}

function sendIntervention(response: ServerResponse, intervention: Extract<Intervention, { status: number }>): void {
  const { status, body = '', headers = {} } = intervention;
  const content = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(content);
}

function errorAnswer(error: ApiError): Answer {
  const seconds = error.details?.['retryAfterSeconds'];
  const headers = typeof seconds === 'number' ? { 'retry-after': String(seconds) } : {};
  return { status: error.code, body: statusBody(error), contentType: 'application/json', headers };
}

function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  send(
    response,
    errorAnswer(
      error instanceof ApiError
        ? error
        : new ApiError(500, 'InternalError', `Internal error occurred: ${errorMessage(error)}`),
    ),
  );
}
