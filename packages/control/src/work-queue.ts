import { backoffDelayMs, type Clock, systemClock } from '@holdfast/core';
import { createDelayedAdds } from './delayed-adds.ts';
import { createFifo } from './fifo.ts';
import type { KeyReport, KeyState } from './key-report.ts';
import type { KeyOrder } from './lanes.ts';
import { createLruMap } from './lru-map.ts';
import type { QueueMetrics } from './queue-metrics.ts';

/**
 * client-go's work queue. It is fair (keys are worked on in the order they came), stingy (a key added many times before it
 * is taken is worked on once), never gives one key to two workers, and gives a key again that was added while in work.
 */
export interface WorkQueue {
  add(key: string): void;
  /** Adds the key after `delayMs`; of several waits the earliest counts. */
  addAfter(key: string, delayMs: number): void;
  /** Adds the key after its back-off: base × 2^failures, capped. Only `forget` resets the failures. */
  addRateLimited(key: string): void;
  forget(key: string): void;
  failures(key: string): number;
  /** Keeps what the last try failed with, for `report`; undefined: nothing went wrong. */
  noteError(key: string, message: string | undefined): void;
  report(key: string): KeyReport;
  /** Waits for a key. Undefined when `signal` aborts, or when the queue is shut down and empty. Call `done` with each key. */
  get(signal: AbortSignal): Promise<string | undefined>;
  done(key: string): void;
  /** Takes no more keys and drops the delayed ones; those queued can still be taken. */
  shutDown(): void;
  /** Keys waiting to be taken. */
  readonly depth: number;
}

export interface WorkQueueDeps {
  name: string;
  baseMs: number;
  maxMs: number;
  clock?: Clock;
  metrics?: QueueMetrics | undefined;
  /** Default: first in, first out. */
  order?: KeyOrder;
}

/** Of keys that are given up on nobody says when their error is of no more interest. */
const MAX_ERRORS = 1_000;

export function createWorkQueue(deps: WorkQueueDeps): WorkQueue {
  const { name, baseMs, maxMs, clock = systemClock } = deps;
  // The order of work. Every key in it is dirty and not in work.
  const queue: KeyOrder = deps.order ?? createFifo<string>();
  // Every key that needs work, with the time since when.
  const dirty = new Map<string, number>();
  // Every key in work, with the time since when. It may be dirty as well: then `done` puts it back into the queue.
  const processing = new Map<string, number>();
  const failures = new Map<string, number>();
  const errors = createLruMap<string, { message: string; atMs: number }>(MAX_ERRORS);
  const waiters = new Set<() => void>();
  // One listener for each signal, not for each waiter: a signal goes through all that it has whenever one is added.
  const signals = new Set<AbortSignal>();
  let isShutDown = false;

  const delayed = createDelayedAdds(clock, add);
  const observer = deps.metrics?.register(name, {
    depth: () => queue.length,
    workingMs: () => [...processing.values()].map((sinceMs) => clock.monotonicMs() - sinceMs),
  });

  function wakeOne(): void {
    const [wake] = waiters;
    wake?.();
  }

  function enqueue(key: string): void {
    queue.push(key);
    wakeOne();
  }

  function add(key: string): void {
    if (isShutDown) return;
    if (dirty.has(key)) {
      if (processing.has(key)) return;
      queue.pushedAgain?.(key);
      wakeOne();
      return;
    }
    dirty.set(key, clock.monotonicMs());
    observer?.added();
    if (!processing.has(key)) enqueue(key);
  }

  function addAfter(key: string, delayMs: number): void {
    if (isShutDown) return;
    observer?.retried();
    if (delayMs > 0) delayed.schedule(key, delayMs);
    else add(key);
  }

  function take(): string | undefined {
    const key = queue.take();
    if (key === undefined) return undefined;
    const nowMs = clock.monotonicMs();
    observer?.started(nowMs - (dirty.get(key) ?? nowMs));
    dirty.delete(key);
    processing.set(key, nowMs);
    return key;
  }

  function stateOf(key: string): KeyState {
    const nowMs = clock.monotonicMs();
    const workedSinceMs = processing.get(key);
    if (workedSinceMs !== undefined) return { kind: 'inWork', forMs: nowMs - workedSinceMs };
    const queuedSinceMs = dirty.get(key);
    if (queuedSinceMs !== undefined) return { kind: 'queued', forMs: nowMs - queuedSinceMs };
    const inMs = delayed.remainingMs(key);
    return inMs === undefined ? { kind: 'idle' } : { kind: 'delayed', inMs };
  }

  function wakeAll(): void {
    for (const wake of waiters) wake();
  }

  function nextWake(signal: AbortSignal): Promise<void> {
    if (!signals.has(signal)) {
      signals.add(signal);
      signal.addEventListener('abort', wakeAll, { once: true });
    }
    return new Promise((resolve) => {
      const wake = () => {
        waiters.delete(wake);
        resolve();
      };
      waiters.add(wake);
    });
  }

  return {
    add,
    addAfter,
    addRateLimited(key) {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      addAfter(key, backoffDelayMs(count, { baseMs, maxMs }));
    },
    forget: (key) => void failures.delete(key),
    failures: (key) => failures.get(key) ?? 0,
    noteError(key, message) {
      if (message === undefined) errors.delete(key);
      else errors.set(key, { message, atMs: clock.monotonicMs() });
    },
    report(key) {
      const error = errors.get(key);
      const lastError = error && { message: error.message, agoMs: clock.monotonicMs() - error.atMs };
      return { state: stateOf(key), failures: failures.get(key) ?? 0, lastError };
    },
    async get(signal) {
      while (!signal.aborted) {
        const key = take();
        if (key !== undefined) return key;
        if (isShutDown) return undefined;
        await nextWake(signal);
      }
      // This waiter may have been woken for a key that it now leaves to another.
      if (queue.length > 0) wakeOne();
      return undefined;
    },
    done(key) {
      const sinceMs = processing.get(key);
      if (sinceMs === undefined) return;
      processing.delete(key);
      observer?.finished(clock.monotonicMs() - sinceMs);
      queue.finished?.(key);
      if (dirty.has(key)) queue.push(key);
      if (queue.length > 0) wakeOne();
    },
    shutDown() {
      isShutDown = true;
      delayed.clear();
      for (const signal of signals) signal.removeEventListener('abort', wakeAll);
      signals.clear();
      wakeAll();
    },
    get depth() {
      return queue.length;
    },
  };
}
