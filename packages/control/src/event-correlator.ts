import { createLruMap } from './lru-map.ts';

/** One call of `EventRecorder.event`. */
export interface Occurrence {
  object: InvolvedObject;
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  /** Wall time, ms since 1970. */
  atMs: number;
}

export interface InvolvedObject {
  apiVersion: string;
  kind: string;
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
}

/** What to do about an occurrence. */
export type Correlation =
  | { kind: 'create'; key: string; message: string }
  | { kind: 'count'; key: string; message: string; written: WrittenEvent; count: number }
  | { kind: 'skip' };

/** What is known of an event that is on the server. */
export interface WrittenEvent {
  name: string;
  namespace: string;
  count: number;
}

export interface EventCorrelator {
  correlate(occurrence: Occurrence): Correlation;
  /** Remembers what was written under `key`, so that the next like it is counted there. */
  written(key: string, event: WrittenEvent): void;
}

// client-go's EventCorrelator: the same figures, so that a cluster sees the same number of events after a swap.
const CACHE_SIZE = 4_096;
const SIMILAR_LIMIT = 10;
const SIMILAR_WINDOW_MS = 600_000;
const SPAM_BURST = 25;
const SPAM_REFILL_MS = 300_000;
const AGGREGATE_PREFIX = '(combined from similar events): ';

interface Similar {
  messages: Set<string>;
  lastMs: number;
}

interface Bucket {
  tokens: number;
  filledMs: number;
}

/**
 * Keeps a noisy controller from flooding the API: identical events become a count on the first one, events that differ only in
 * their message are combined after ten, and one object gets 25 events in a burst, then one in five minutes.
 */
export function createEventCorrelator(): EventCorrelator {
  const similar = createLruMap<string, Similar>(CACHE_SIZE);
  const writtenEvents = createLruMap<string, WrittenEvent>(CACHE_SIZE);
  const buckets = createLruMap<string, Bucket>(CACHE_SIZE);

  /** Whether the messages of this kind have become so many that they are combined into one event. */
  function isCombined(group: string, { message, atMs }: Occurrence): boolean {
    const known = similar.get(group);
    const messages = known && atMs - known.lastMs <= SIMILAR_WINDOW_MS ? known.messages : new Set<string>();
    messages.add(message);
    similar.set(group, { messages, lastMs: atMs });
    if (messages.size < SIMILAR_LIMIT) return false;
    // Only the size matters from here on; client-go forgets one as well, so that the set stays small.
    for (const oldest of messages) {
      messages.delete(oldest);
      break;
    }
    return true;
  }

  function isSpam(source: string, atMs: number): boolean {
    const bucket = buckets.get(source) ?? { tokens: SPAM_BURST, filledMs: atMs };
    const tokens = Math.min(SPAM_BURST, bucket.tokens + Math.max(0, atMs - bucket.filledMs) / SPAM_REFILL_MS);
    const isEmpty = tokens < 1;
    buckets.set(source, { tokens: isEmpty ? tokens : tokens - 1, filledMs: atMs });
    return isEmpty;
  }

  return {
    correlate(occurrence) {
      const { object, type, reason } = occurrence;
      const source = JSON.stringify([object.kind, object.namespace, object.name, object.uid, object.apiVersion]);
      const group = JSON.stringify([source, type, reason]);
      const combined = isCombined(group, occurrence);
      const message = combined ? AGGREGATE_PREFIX + occurrence.message : occurrence.message;
      const key = combined ? group : JSON.stringify([group, message]);
      if (isSpam(source, occurrence.atMs)) return { kind: 'skip' };
      const written = writtenEvents.get(key);
      if (!written) return { kind: 'create', key, message };
      return { kind: 'count', key, message, written, count: written.count + 1 };
    },
    written: (key, event) => writtenEvents.set(key, event),
  };
}
