import type { EventRecorder, Outcome, Store } from '@holdfast/control';
import { createWorkQueue, runController } from '@holdfast/control';
import type { Clock, Logger } from '@holdfast/core';
import type { KubeClient, KubeObject } from '@holdfast/kube';
import { objectKey } from '@holdfast/kube';
import type { Caches } from './caches.ts';
import type { LoopPeriods } from './periods.ts';

export interface LoopDeps {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly recorder: EventRecorder;
  readonly log: Logger;
  readonly periods: LoopPeriods;
  readonly clock?: Clock;
}

/** A control loop: watches from the moment it is made, works once `run` is called. */
export interface Loop {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

interface LoopDefinition {
  readonly name: string;
  readonly workers: number;
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<Outcome>;
  /** Subscribes to what concerns this loop and says which keys each change touches. */
  readonly watch: (enqueue: (key: string) => void) => void;
}

// client-go's default controller rate limiter starts at 5 ms; conflicts are common here and cheap to repeat.
const firstRetryMs = 10;
const longestRetryMs = 60_000;

export function createLoop(deps: LoopDeps, definition: LoopDefinition): Loop {
  const queue = createWorkQueue({
    name: definition.name,
    baseMs: firstRetryMs,
    maxMs: longestRetryMs,
    ...(deps.clock === undefined ? {} : { clock: deps.clock }),
  });
  definition.watch((key) => queue.add(key));
  return {
    name: definition.name,
    run: (signal) =>
      runController({
        name: definition.name,
        queue,
        workers: definition.workers,
        reconcile: definition.reconcile,
        log: deps.log.child({ loop: definition.name }),
        signal,
      }),
  };
}

/** Calls `onObject` for every object there is and for both sides of each change to come. */
export function watchStore<T extends KubeObject>(store: Store<T>, onObject: (object: T) => void): void {
  for (const object of store.list()) {
    onObject(object);
  }
  store.subscribe((change) => {
    if (change.kind === 'updated') {
      onObject(change.old);
    }
    onObject(change.object);
  });
}

/** Enqueues the key of every object of the store that is added, changed or deleted. */
export function watchKeys<T extends KubeObject>(store: Store<T>, enqueue: (key: string) => void): void {
  watchStore(store, (object) => enqueue(objectKey(object)));
}
