import { randomInt } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { JsonObject } from '../json.ts';
import type { Kind } from '../kind.ts';
import { apiVersionOf, storageName } from '../kind.ts';
import type { ApiObject } from '../objects.ts';
import { withResourceVersion } from '../objects.ts';
import type { Matcher } from '../selectors.ts';
import { createMatcher } from '../selectors.ts';
import { expired, statusBody, tooLargeResourceVersion } from '../status.ts';
import type { Storage, StoredEvent } from '../storage.ts';
import type { VerbContext } from './context.ts';
import type { ListOptions } from './list-options.ts';
import { createWakeUps } from './wake-ups.ts';
import { createWatchStream, WatchClosedError } from './watch-stream.ts';

// setTimeout takes 32 bits; what is longer would fire at once.
const longestTimerMs = 2 ** 31 - 1;

export interface WatchRequest {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly options: ListOptions;
  /** How an object is written: as itself, or as a row of a table. Only the first line carries a table's columns. */
  readonly render: (object: ApiObject, isFirst: boolean) => JsonObject;
  readonly bookmarkIntervalMs: number;
  /** Aborts when the server stops. */
  readonly signal: AbortSignal;
}

/**
 * A watch reads the history at its own pace: it holds a position, never a buffer. A client that reads so slowly that the
 * history passes it is closed; it resumes or lists again, as after any other end.
 *
 * Throws before the first byte what can be known then: 400 for a selector, 410 for a revision that is gone, 504 for one
 * that is not there yet.
 */
export async function watchObjects(
  context: VerbContext,
  request: WatchRequest,
  response: ServerResponse,
): Promise<void> {
  const { storage } = context;
  const { kind, namespace, options } = request;
  const matches = createMatcher(kind, { labels: options.labelSelector, fields: options.fieldSelector, namespace });
  const start = startOf(storage, options);
  const initial = start.sendsState ? storage.list(storageName(kind), namespace).filter(matches) : [];
  let position = start.revision;
  let isFirst = true;

  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  const stream = createWatchStream(response, { storage, isPassed: () => position < storage.compactedRevision });
  // Upstream ends a watch by itself after 30 to 60 minutes, spread so that clients do not come back all at once.
  const timeoutMs = Math.min((options.timeoutSeconds ?? randomInt(1800, 3600)) * 1000, longestTimerMs);
  const wakeUps = createWakeUps({
    context,
    response,
    timeoutMs,
    bookmarkIntervalMs: request.bookmarkIntervalMs,
    signal: request.signal,
  });

  const sendObject = async (type: StoredEvent['type'], object: ApiObject): Promise<void> => {
    await stream.send({ type, object: request.render(object, isFirst) });
    isFirst = false;
  };
  const sendBookmark = (isInitialEventsEnd: boolean): Promise<void> =>
    stream.send(bookmark(kind, position, isInitialEventsEnd));

  try {
    for (const object of initial) await sendObject('ADDED', object);
    if (options.sendsInitialEvents === true && options.allowsBookmarks) await sendBookmark(true);
    for (;;) {
      while (position < storage.revision) {
        const event = storage.eventAt(position + 1);
        if (event === undefined) {
          const gone = expired(`too old resource version: ${position} (${storage.compactedRevision})`);
          await stream.send({ type: 'ERROR', object: statusBody(gone) });
          return;
        }
        const seen = event.resource === storageName(kind) ? asSeen(event, matches) : undefined;
        if (seen !== undefined) await sendObject(seen.type, seen.object);
        position = event.revision;
      }
      const wake = await wakeUps.next();
      if (wake === 'closed') return;
      if (wake !== 'change' && options.allowsBookmarks) await sendBookmark(false);
      if (wake === 'timeout') return;
    }
  } catch (error) {
    if (!(error instanceof WatchClosedError)) throw error;
  } finally {
    wakeUps.stop();
    response.end();
  }
}

/** Where the watch begins, and whether it first tells the state at that point as ADDED events. */
function startOf(storage: Storage, options: ListOptions): { revision: number; sendsState: boolean } {
  const { resourceVersion: asked, sendsInitialEvents } = options;
  if (sendsInitialEvents === true) {
    if (asked !== undefined && asked > storage.revision) throw tooLargeResourceVersion(asked, storage.revision);
    return { revision: storage.revision, sendsState: true };
  }
  if (asked === undefined || asked === 0)
    return { revision: storage.revision, sendsState: sendsInitialEvents !== false };
  // One that is too old is told so in the watch, as any error that is found after the request was read (cacher.go).
  return { revision: asked, sendsState: false };
}

/** What a change is to this watch: an object that leaves the selection is deleted for it, one that enters is added. */
function asSeen(event: StoredEvent, matches: Matcher): { type: StoredEvent['type']; object: ApiObject } | undefined {
  const wasSeen = event.previous !== undefined && matches(event.previous);
  const isSeen = event.type !== 'DELETED' && matches(event.object);
  if (isSeen) return { type: wasSeen ? 'MODIFIED' : 'ADDED', object: event.object };
  if (!wasSeen || event.previous === undefined) return undefined;
  return { type: 'DELETED', object: withResourceVersion(event.previous, event.revision) };
}

function bookmark(kind: Kind, revision: number, isInitialEventsEnd: boolean): JsonObject {
  const annotations = isInitialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  const metadata = { resourceVersion: String(revision), ...annotations };
  return { type: 'BOOKMARK', object: { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata } };
}
