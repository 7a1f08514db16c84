import type { IncomingMessage } from 'node:http';
import { jsonLines } from './json-lines.ts';
import { KubeError } from './kube-error.ts';
import type { KubeObject } from './object.ts';
import { isObject } from './reply.ts';
import type { Resource } from './resources.ts';
import { errorFromStatus, isRecord } from './status.ts';

export type WatchEvent<T> =
  | { kind: 'added' | 'modified' | 'deleted'; object: T }
  | { kind: 'bookmark'; resourceVersion: string; isInitialEventsEnd: boolean };

/** Set on the bookmark that ends the initial events of a streaming list (KEP-3157). */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/**
 * The events of an open watch, in order, until the server ends it; together those that arrived together. @throws KubeError for an
 * ERROR event or a foreign line.
 */
export async function* readWatch<T extends KubeObject>(
  response: IncomingMessage,
  resource: Resource<T>,
): AsyncGenerator<Iterable<WatchEvent<T>>, void, undefined> {
  for await (const lines of jsonLines(response)) yield parseEvents(lines, resource);
}

function* parseEvents<T extends KubeObject>(
  lines: Iterable<unknown>,
  resource: Resource<T>,
): Generator<WatchEvent<T>, void, undefined> {
  for (const line of lines) yield parseEvent(line, resource);
}

function parseEvent<T extends KubeObject>(line: unknown, resource: Resource<T>): WatchEvent<T> {
  if (!isRecord(line)) throw foreign(resource, 'a line that is not an event');
  const { type, object } = line;
  switch (type) {
    case 'ADDED':
      return { kind: 'added', object: checked(object, resource) };
    case 'MODIFIED':
      return { kind: 'modified', object: checked(object, resource) };
    case 'DELETED':
      return { kind: 'deleted', object: checked(object, resource) };
    case 'BOOKMARK':
      return bookmark(object, resource);
    case 'ERROR':
      throw errorFromStatus(isRecord(object) ? object : {}, { status: 500, method: 'GET' });
    default:
      throw foreign(resource, `an event of type ${JSON.stringify(type)}`);
  }
}

function checked<T extends KubeObject>(object: unknown, resource: Resource<T>): T {
  if (!isObject(object, resource)) throw foreign(resource, 'an event without an object');
  return object;
}

function bookmark<T extends KubeObject>(object: unknown, resource: Resource<T>): WatchEvent<T> {
  const metadata = isRecord(object) ? object.metadata : undefined;
  if (!isRecord(metadata) || typeof metadata.resourceVersion !== 'string') {
    throw foreign(resource, 'a bookmark without a resourceVersion');
  }
  const annotations = isRecord(metadata.annotations) ? metadata.annotations : {};
  return {
    kind: 'bookmark',
    resourceVersion: metadata.resourceVersion,
    isInitialEventsEnd: annotations[INITIAL_EVENTS_END] === 'true',
  };
}

function foreign(resource: Resource<KubeObject>, what: string): KubeError {
  return new KubeError({
    status: 0,
    reason: '',
    message: `the watch of ${resource.plural} sent ${what}: is the server a Kubernetes API server?`,
  });
}
