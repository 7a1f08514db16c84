import type { AccountTokens } from './access/account-tokens.ts';
import type { Authorizer } from './access/authorizer.ts';
import { requireCreate } from './access/require.ts';
import { answerTokenRequest } from './access/token-request.ts';
import type { Authenticator, User } from './auth.ts';
import { readDeleteOptions } from './delete-options.ts';
import { aggregatedContentType, discover } from './discovery.ts';
import type { JsonObject } from './json.ts';
import { storageName } from './kind.ts';
import { answerOpenApi } from './openapi.ts';
import type { Representation } from './representation.ts';
import { chooseRepresentation, renderList, renderObject } from './representation.ts';
import { answerReview } from './reviews.ts';
import type { ResourceRoute } from './route.ts';
import { createMatcher } from './selectors.ts';
import { ApiError, methodNotAllowed, noSuchPath, notFound, tooLargeResourceVersion } from './status.ts';
import { bindPod } from './verbs/bind.ts';
import type { VerbContext, WriteOptions } from './verbs/context.ts';
import { createObject } from './verbs/create.ts';
import { finalizeNamespace } from './verbs/finalize.ts';
import { listObjects } from './verbs/list.ts';
import { isTrue, readListOptions, readResourceVersion } from './verbs/list-options.ts';
import { patchObject } from './verbs/patch.ts';
import { deleteObject } from './verbs/remove.ts';
import type { UpdateTarget } from './verbs/update.ts';
import { keyOfTarget, replaceObject } from './verbs/update.ts';
import { readBody, readWriteOptions } from './write-options.ts';

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly contentType: string;
  readonly userAgent: string;
  readonly user: User;
  readonly body: string;
  /** undefined for a path that is no resource. */
  readonly route: ResourceRoute | undefined;
  /** What the client is told beside the answer, in `Warning` headers. Verbs add to it. */
  readonly warnings: string[];
}

export interface Answer {
  readonly status: number;
  readonly body: JsonObject | string | Uint8Array;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What answering needs beyond what the verbs do. */
export interface AnswerContext extends VerbContext {
  readonly accountTokens: AccountTokens;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
}

function json(status: number, body: JsonObject): Answer {
  return { status, body, contentType: 'application/json' };
}

/** Everything but a watch. Throws {@link ApiError}. */
export function answer(context: AnswerContext, request: ApiRequest): Answer {
  const { route } = request;
  if (route === undefined) return answerPath(context, request);
  if (route.name === undefined) return answerCollection(context, request, route);
  return answerObject(context, request, route, route.name);
}

/** Beyond the groups that are served there are no resources, and so no Status. */
const notServed: Answer = { status: 404, body: '404 page not found\n', contentType: 'text/plain; charset=utf-8' };

function answerPath(context: AnswerContext, request: ApiRequest): Answer {
  const { path, method } = request;
  if (/^\/(healthz|livez|readyz)(\/ping)?\/?$/.test(path))
    return { status: 200, body: 'ok', contentType: 'text/plain; charset=utf-8' };
  const reviewed = answerReview(context, request);
  if (reviewed !== undefined) return json(201, reviewed);
  const found = discover(path, request.accept);
  if (found !== undefined) {
    if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed();
    const isAggregated = found['kind'] === 'APIGroupDiscoveryList';
    if (!isAggregated) return json(200, found);
    // Upstream sends an ETag with it, which makes it fit to be kept; clients that ask without one get it anew.
    return { status: 200, body: found, contentType: aggregatedContentType, headers: { 'cache-control': 'public' } };
  }
  const openApi = answerOpenApi(path, request.accept);
  if (openApi !== undefined) return openApi;
  const [, root, group] = path.split('/');
  const isServed =
    root === 'api' || (root === 'apis' && group !== undefined && discover(`/apis/${group}`, '') !== undefined);
  if (!isServed) return notServed;
  throw noSuchPath();
}

function answerCollection(context: VerbContext, request: ApiRequest, route: ResourceRoute): Answer {
  const { kind, namespace } = route;
  const as = chooseRepresentation(
    request.accept,
    request.query.get('includeObject'),
    request.method === 'POST' ? 'object' : 'list',
  );
  const nowMs = context.clock.nowMs();
  switch (request.method) {
    case 'GET':
      return json(
        200,
        renderList(kind, listObjects(context, kind, namespace, readListOptions(request.query)), as, nowMs),
      );
    case 'POST': {
      const options = readWriteOptions(request);
      const { status, object } = createObject(context, kind, namespace, readBody(request), options);
      return json(status, renderObject(kind, object, as, nowMs));
    }
    case 'DELETE':
      return deleteCollection(context, request, route, as);
    default:
      throw methodNotAllowed();
  }
}

function deleteCollection(context: VerbContext, request: ApiRequest, route: ResourceRoute, as: Representation): Answer {
  const { kind, namespace } = route;
  if (kind.lacksDeleteCollection === true) throw methodNotAllowed();
  if (kind.isNamespaced && namespace === undefined) throw methodNotAllowed();
  const list = readListOptions(request.query);
  const matches = createMatcher(kind, { labels: list.labelSelector, fields: list.fieldSelector, namespace });
  const options = readDeleteOptions(request);
  const items = context.storage.list(storageName(kind), namespace).filter(matches);
  for (const item of items) {
    deleteObject(context, kind, { namespace: item.metadata.namespace, name: item.metadata.name }, options);
  }
  return json(200, renderList(kind, { items, resourceVersion: context.storage.revision }, as, context.clock.nowMs()));
}

function answerObject(context: AnswerContext, request: ApiRequest, route: ResourceRoute, name: string): Answer {
  const { kind, namespace, subresource } = route;
  if (subresource !== undefined && subresource !== 'status') return answerSubresource(context, request, route, name);
  if (subresource === 'status' && kind.hasStatus !== true) throw noSuchPath();
  const as = chooseRepresentation(request.accept, request.query.get('includeObject'), 'object');
  const nowMs = context.clock.nowMs();
  const target: UpdateTarget = { namespace, name, subresource: subresource === 'status' ? 'status' : 'main' };
  switch (request.method) {
    case 'GET': {
      const asked = readResourceVersion(request.query.get('resourceVersion') ?? '', true) ?? 0;
      if (asked > context.storage.revision) throw tooLargeResourceVersion(asked, context.storage.revision);
      const object = context.storage.get(storageName(kind), keyOfTarget(target));
      if (object === undefined) throw notFound(kind, name);
      return json(200, renderObject(kind, object, as, nowMs));
    }
    case 'PUT': {
      const { status, object } = replaceObject(context, kind, target, readBody(request), {
        ...readWriteOptions(request),
        checkCreate: () => requireCreate(context.authorizer, request),
      });
      return json(status, renderObject(kind, object, as, nowMs));
    }
    case 'PATCH': {
      const options = {
        ...readWriteOptions(request),
        contentType: request.contentType,
        isForced: isTrue(request.query.get('force') ?? 'false'),
        force: request.query.get('force'),
        checkCreate: () => requireCreate(context.authorizer, request),
      };
      const { status, object } = patchObject(context, kind, target, request.body, options);
      return json(status, renderObject(kind, object, as, nowMs));
    }
    case 'DELETE': {
      if (subresource === 'status') throw methodNotAllowed();
      const { object, isRemoved } = deleteObject(context, kind, target, readDeleteOptions(request));
      if (!isRemoved || kind.answersDeleteWithStatus !== true) return json(200, renderObject(kind, object, as, nowMs));
      const details = {
        name,
        ...(kind.group === '' ? {} : { group: kind.group }),
        kind: kind.plural,
        uid: object.metadata.uid,
      };
      return json(200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details });
    }
    default:
      throw methodNotAllowed();
  }
}

function answerSubresource(context: AnswerContext, request: ApiRequest, route: ResourceRoute, name: string): Answer {
  const { kind, namespace, subresource } = route;
  const options: WriteOptions = readWriteOptions(request);
  if (kind.plural === 'pods' && subresource === 'binding') {
    if (request.method !== 'POST') throw methodNotAllowed();
    return json(201, bindPod(context, { namespace, name }, readBody(request), options));
  }
  if (kind.plural === 'serviceaccounts' && subresource === 'token') {
    if (request.method !== 'POST') throw methodNotAllowed();
    return json(201, answerTokenRequest(context, { namespace, name }, request));
  }
  if (kind.plural === 'namespaces' && subresource === 'finalize') {
    if (request.method !== 'PUT') throw methodNotAllowed();
    return json(200, finalizeNamespace(context, name, readBody(request), options));
  }
  if (kind.plural === 'pods' && streams.has(subresource ?? '')) {
    throw new ApiError(501, 'NotImplemented', `the sandbox does not serve ${subresource} on pods`);
  }
  throw noSuchPath();
}

// They need an upgraded connection all the way to a container runtime.
const streams = new Set(['attach', 'exec', 'portforward']);
