import { type Clock, errorMessage, type Logger, systemClock } from '@holdfast/core';
import { events, isAlreadyExists, isNotFound, type KubeClient, KubeError } from '@holdfast/kube';
import { type Correlation, createEventCorrelator, type InvolvedObject, type Occurrence } from './event-correlator.ts';
import { countPatch, newEvent } from './event-object.ts';
import { createFifo } from './fifo.ts';

/** What an event can be about: any object that knows its kind. */
export interface ObjectReferenceLike {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
}

export interface EventRecorder {
  /** Queues an event and returns at once. Never throws; what cannot be queued or written is dropped and logged. */
  event(object: ObjectReferenceLike, type: 'Normal' | 'Warning', reason: string, message: string): void;
  /** Resolves once everything queued so far is written or dropped. */
  flush(): Promise<void>;
}

export interface EventRecorderDeps {
  client: KubeClient;
  component: string;
  log: Logger;
  clock?: Clock;
}

type Created = Extract<Correlation, { kind: 'create' }>;
type Counted = Extract<Correlation, { kind: 'count' }>;

// client-go's recorder: queue length, tries and pause.
const QUEUE_LENGTH = 1_000;
const MAX_TRIES = 12;
const RETRY_PAUSE_MS = 10_000;
// Longest a clean exit waits for what is still queued.
const STOP_TIMEOUT_MS = 5_000;

export function createEventRecorder(deps: EventRecorderDeps): EventRecorder & { stop(): Promise<void> } {
  const { client, component, log, clock = systemClock } = deps;
  const correlator = createEventCorrelator();
  const queue = createFifo<Occurrence>();
  const stopping = new AbortController();
  const cutOff = new AbortController();
  let draining: Promise<void> | undefined;
  let dropped = 0;
  let lastStampNs = 0n;

  /** Nanoseconds as client-go puts them into names; never the same twice. */
  function nextStamp(atMs: number): bigint {
    const stampNs = BigInt(Math.floor(atMs)) * 1_000_000n;
    lastStampNs = stampNs > lastStampNs ? stampNs : lastStampNs + 1n;
    return lastStampNs;
  }

  /** @param stampNs the same for every try, so that a create whose answer was lost is not repeated under another name */
  async function create(key: string, of: { occurrence: Occurrence; message: string; count: number; stampNs: bigint }) {
    const draft = newEvent({ ...of, component });
    try {
      await client.create(events, draft, { signal: cutOff.signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    const { name = '', namespace = '' } = draft.metadata;
    correlator.written(key, { name, namespace, count: of.count });
  }

  async function count(correlation: Counted, occurrence: Occurrence, stampNs: bigint): Promise<void> {
    const { key, message, written, count } = correlation;
    const ref = { name: written.name, namespace: written.namespace };
    try {
      await client.patch(events, ref, countPatch(count, occurrence.atMs, message), { signal: cutOff.signal });
      correlator.written(key, { ...written, count });
    } catch (error) {
      // Events expire, after an hour as a rule; the count goes on in a new one.
      if (!isNotFound(error)) throw error;
      await create(key, { occurrence, message, count, stampNs });
    }
  }

  async function attempt(correlation: Counted | Created, occurrence: Occurrence, stampNs: bigint): Promise<void> {
    const { key, message } = correlation;
    if (correlation.kind === 'count') await count(correlation, occurrence, stampNs);
    else await create(key, { occurrence, message, count: 1, stampNs });
  }

  async function write(occurrence: Occurrence): Promise<void> {
    // Decided once for all tries, so that a retry does not count twice.
    const correlation = correlator.correlate(occurrence);
    if (correlation.kind === 'skip') return;
    const stampNs = nextStamp(occurrence.atMs);
    for (let tries = 1; ; tries += 1) {
      try {
        await attempt(correlation, occurrence, stampNs);
        return;
      } catch (error) {
        const { reason, object } = occurrence;
        if (!isWorthRetrying(error) || tries >= MAX_TRIES || stopping.signal.aborted) {
          log.warn('Event dropped', { reason, kind: object.kind, name: object.name, error: errorMessage(error) });
          return;
        }
        const pauseMs = error instanceof KubeError ? (error.retryAfterMs ?? RETRY_PAUSE_MS) : RETRY_PAUSE_MS;
        await clock.sleep(pauseMs, stopping.signal).catch(() => {});
      }
    }
  }

  async function drain(): Promise<void> {
    for (let next = queue.take(); next; next = queue.take()) {
      if (cutOff.signal.aborted) dropped += 1;
      else await write(next);
    }
    draining = undefined;
    if (dropped > 0) log.warn('Events dropped: too many at once, or too many left at the end', { dropped });
    dropped = 0;
  }

  return {
    event(object, type, reason, message) {
      const involved = involvedObject(object);
      if (!involved) {
        log.error('Event about an object without kind or apiVersion dropped', { reason, name: object.metadata.name });
        return;
      }
      log.debug(3, 'Event occurred', { kind: involved.kind, object: involved.name, type, reason, message });
      if (stopping.signal.aborted || queue.length >= QUEUE_LENGTH) {
        dropped += 1;
        return;
      }
      queue.push({ object: involved, type, reason, message, atMs: clock.nowMs() });
      draining ??= Promise.resolve().then(drain);
    },
    async flush() {
      await draining;
    },
    async stop() {
      stopping.abort();
      const cancel = clock.setTimer(STOP_TIMEOUT_MS, () => cutOff.abort());
      await draining;
      cancel();
    },
  };
}

function involvedObject({ apiVersion, kind, metadata }: ObjectReferenceLike): InvolvedObject | undefined {
  if (!apiVersion || !kind) return undefined;
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    apiVersion,
    kind,
    name,
    ...(namespace ? { namespace } : {}),
    ...(uid ? { uid } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
  };
}

/** A server that refuses will refuse again; one that is unreachable, overloaded or broken may not. */
function isWorthRetrying(error: unknown): boolean {
  return error instanceof KubeError && (error.status === 0 || error.status === 429 || error.status >= 500);
}
