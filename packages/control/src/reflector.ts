import { type Clock, createBackoff, errorMessage, type Logger, linkSignals, systemClock } from '@holdfast/core';
import {
  isExpired,
  isForbidden,
  type KubeClient,
  KubeError,
  type KubeObject,
  objectKey,
  type Resource,
  type WatchEvent,
} from '@holdfast/kube';
import type { IndexFunctions } from './indexes.ts';
import { listPages } from './list-pages.ts';
import { createStore, type Store } from './store.ts';

/** Where a reflector stands. A watch that breaks stays `watching`: it resumes from its resourceVersion. */
export type ReflectorState =
  | { kind: 'empty' }
  | { kind: 'listing'; how: 'stream' | 'pages' }
  | { kind: 'watching'; resourceVersion: string };

export interface Reflector<T> {
  readonly store: Store<T>;
  /** Resolves once the first list is in the store; rejects when `run` ends before that. */
  readonly synced: Promise<void>;
  readonly hasSynced: boolean;
  state(): ReflectorState;
  /** Keeps the store like the collection until the signal aborts. Never rejects for what the API server says. */
  run(signal: AbortSignal): Promise<void>;
}

export interface ReflectorDeps<T extends KubeObject> {
  client: KubeClient;
  resource: Resource<T>;
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Keeps what the controller reads of an object and drops the rest. `managedFields` never gets this far. */
  project?: (object: T) => T;
  /** Asked of each object after `project`; those that it says no to are not kept at all. */
  isKept?: (object: T) => boolean;
  indexes?: IndexFunctions<T>;
  log: Logger;
  clock?: Clock;
  random?: () => number;
}

// client-go's reflector: 0.8 s to 30 s, doubled, with as much again of jitter, so that a restarted API server is not stormed.
const BACKOFF = { baseMs: 800, maxMs: 30_000, jitter: 1 };
// A streaming list that goes quiet without its closing bookmark: something on the way does not know sendInitialEvents.
const STREAM_SILENCE_MS = 30_000;
// A watch that ends sooner than this with nothing to show is a failure, not an end.
const SHORT_WATCH_MS = 1_000;

const REFUSES_STREAMING = new Set([400, 405, 406, 415, 422, 501]);

class StreamListError extends Error {}

export function createReflector<T extends KubeObject>(deps: ReflectorDeps<T>): Reflector<T> {
  const { client, resource, log, project, clock = systemClock, random = Math.random } = deps;
  const backoff = createBackoff({ ...BACKOFF, random });
  const scope = {
    ...(deps.namespace === undefined ? {} : { namespace: deps.namespace }),
    ...(deps.labelSelector === undefined ? {} : { labelSelector: deps.labelSelector }),
    ...(deps.fieldSelector === undefined ? {} : { fieldSelector: deps.fieldSelector }),
  };
  const store = createStore<T>({
    project: (object) => (project ? project(dropManagedFields(object)) : dropManagedFields(object)),
    ...(deps.isKept ? { isKept: deps.isKept } : {}),
    ...(deps.indexes ? { indexes: deps.indexes } : {}),
    onListenerError: (error) => log.error('A listener of the store threw', { plural: resource.plural, error }),
  });

  let state: ReflectorState = { kind: 'empty' };
  let canStream = true;
  let hasSynced = false;
  const { promise: synced, resolve: resolveSynced, reject: rejectSynced } = Promise.withResolvers<void>();
  synced.catch(() => {});

  function completeList(objects: Iterable<T>, resourceVersion: string): void {
    store.replaceAll(objects, resourceVersion);
    state = { kind: 'watching', resourceVersion };
    hasSynced = true;
    resolveSynced();
    log.debug(4, 'Caches populated', { plural: resource.plural, objects: store.size });
  }

  function applyEvent(event: WatchEvent<T>): void {
    let resourceVersion: string;
    switch (event.kind) {
      case 'added':
      case 'modified':
        store.applyEvent(event.object);
        resourceVersion = event.object.metadata.resourceVersion;
        break;
      case 'deleted':
        store.applyDeletedEvent(event.object);
        resourceVersion = event.object.metadata.resourceVersion;
        break;
      case 'bookmark':
        store.applyBookmark(event.resourceVersion);
        resourceVersion = event.resourceVersion;
        break;
    }
    state = { kind: 'watching', resourceVersion };
    backoff.reset();
  }

  /** Follows one watch to its end; in state `listing` it first gathers the collection that the stream begins with. */
  async function follow(signal: AbortSignal): Promise<void> {
    const giveUp = new AbortController();
    let cancelSilence = () => {};
    const gathered = new Map<string, T>();
    try {
      const events = client.watch(resource, {
        ...scope,
        ...(state.kind === 'watching' ? { resourceVersion: state.resourceVersion } : { sendInitialEvents: true }),
        signal: linkSignals(signal, giveUp.signal),
      });
      let heardMs = clock.monotonicMs();
      // One timer for many events: it asks when the last one came.
      const awaitSilence = (ms: number) => {
        cancelSilence = clock.setTimer(ms, () => {
          const leftMs = heardMs + STREAM_SILENCE_MS - clock.monotonicMs();
          if (leftMs > 0) return awaitSilence(leftMs);
          giveUp.abort(new StreamListError(`no closing bookmark within ${STREAM_SILENCE_MS / 1_000} s of silence`));
        });
      };
      if (state.kind === 'listing') awaitSilence(STREAM_SILENCE_MS);
      for await (const event of events) {
        if (signal.aborted) return;
        if (state.kind === 'watching') {
          applyEvent(event);
          continue;
        }
        heardMs = clock.monotonicMs();
        if (event.kind === 'bookmark') {
          if (!event.isInitialEventsEnd) continue;
          cancelSilence();
          completeList(gathered.values(), event.resourceVersion);
          gathered.clear();
        } else if (event.kind === 'deleted') gathered.delete(objectKey(event.object));
        else gathered.set(objectKey(event.object), store.keep(event.object));
      }
      if (giveUp.signal.aborted) throw giveUp.signal.reason;
    } catch (error) {
      throw giveUp.signal.aborted ? giveUp.signal.reason : error;
    } finally {
      cancelSilence();
    }
    // By now a complete stream has moved on to `watching`; TypeScript cannot see that.
    if (reflector.state().kind === 'listing') throw new StreamListError('the stream ended before its closing bookmark');
  }

  async function advance(signal: AbortSignal): Promise<void> {
    switch (state.kind) {
      case 'empty':
        state = { kind: 'listing', how: canStream ? 'stream' : 'pages' };
        return;
      case 'listing': {
        if (state.how === 'stream') return follow(signal);
        const list = await listPages(client, resource, { ...scope, signal }, store.keep);
        return completeList(list.items, list.resourceVersion);
      }
      case 'watching': {
        const startedMs = clock.monotonicMs();
        const { resourceVersion } = state;
        await follow(signal);
        if (clock.monotonicMs() - startedMs >= SHORT_WATCH_MS) backoff.reset();
        else if (state.resourceVersion === resourceVersion && !signal.aborted) {
          throw new Error('the watch ended at once and showed nothing');
        }
        return;
      }
    }
  }

  /** Chooses the state to go on from after a failure. @returns how long to wait first, in ms */
  function recover(error: unknown): number {
    const isStreaming = state.kind === 'listing' && state.how === 'stream';
    if (
      isStreaming &&
      (error instanceof StreamListError || (error instanceof KubeError && REFUSES_STREAMING.has(error.status)))
    ) {
      canStream = false;
      state = { kind: 'listing', how: 'pages' };
      log.debug(2, 'The API server does not stream lists, listing in pages', {
        plural: resource.plural,
        reason: errorMessage(error),
      });
      return 0;
    }
    if (isExpired(error) || state.kind !== 'watching') state = { kind: 'empty' };
    const remedy = isForbidden(error)
      ? `grant get, list and watch on ${resource.plural} to this service account`
      : undefined;
    log.warn(hasSynced ? 'Watch failed' : 'List failed', {
      plural: resource.plural,
      error: errorMessage(error),
      ...(remedy ? { remedy } : {}),
    });
    const retryAfterMs = error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0;
    return Math.max(retryAfterMs, backoff.nextMs());
  }

  const reflector: Reflector<T> = {
    store,
    synced,
    get hasSynced() {
      return hasSynced;
    },
    state: () => state,
    async run(signal) {
      while (!signal.aborted) {
        try {
          await advance(signal);
        } catch (error) {
          if (signal.aborted) break;
          const delayMs = recover(error);
          // The wait ends early only when the signal aborts, and the loop with it.
          if (delayMs > 0) await clock.sleep(delayMs, signal).catch(() => {});
        }
      }
      rejectSynced(signal.reason);
    },
  };
  return reflector;
}

/** Half of a typical object, and nothing that any controller reads. */
function dropManagedFields<T extends KubeObject>(object: T): T {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _dropped, ...metadata } = object.metadata;
  return { ...object, metadata };
}
