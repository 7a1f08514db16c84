import { errorMessage, isAbort, type Logger } from '@holdfast/core';
import type { WorkQueue } from './work-queue.ts';

/** What a reconcile ends with. There is no fifth. */
export type Outcome =
  /** Nothing more to do until something changes; the key's failures are forgotten. */
  | { kind: 'done' }
  /** Look again later. `error` says what makes waiting worth while, if anything went wrong. */
  | { kind: 'again'; afterMs: number; error?: Error }
  /** Failed; try again with back-off. */
  | { kind: 'retry'; error: Error }
  /** Failed, and trying again without a change would fail again. */
  | { kind: 'giveUp'; error: Error };

export interface ControllerDeps {
  name: string;
  queue: WorkQueue;
  workers: number;
  /** Brings one object closer to what is wanted. Reads the newest state itself: a key is no event. A throw is a retry. */
  reconcile: (key: string, signal: AbortSignal) => Promise<Outcome>;
  log: Logger;
  signal: AbortSignal;
}

/** Works the queue until the signal aborts, then waits for the reconciles under way, shuts the queue down and returns. */
export async function runController(deps: ControllerDeps): Promise<void> {
  const { name, queue, reconcile, log, signal } = deps;

  async function attempt(key: string): Promise<Outcome> {
    try {
      return await reconcile(key, signal);
    } catch (error) {
      return { kind: 'retry', error: error instanceof Error ? error : new Error(errorMessage(error)) };
    }
  }

  function settle(key: string, outcome: Outcome): void {
    if (outcome.kind === 'done') queue.noteError(key, undefined);
    else if (outcome.error && !isAbort(outcome.error, signal)) queue.noteError(key, errorMessage(outcome.error));
    switch (outcome.kind) {
      case 'done':
        queue.forget(key);
        return;
      case 'again':
        queue.forget(key);
        queue.addAfter(key, outcome.afterMs);
        return;
      case 'retry':
        queue.addRateLimited(key);
        if (isAbort(outcome.error, signal)) return;
        log.error('Reconcile failed, will retry', {
          controller: name,
          key,
          failures: queue.failures(key),
          error: errorMessage(outcome.error),
        });
        return;
      case 'giveUp':
        queue.forget(key);
        log.error('Reconcile failed, waiting for a change', {
          controller: name,
          key,
          error: errorMessage(outcome.error),
        });
        return;
      default:
        outcome satisfies never;
    }
  }

  async function work(): Promise<void> {
    for (;;) {
      const key = await queue.get(signal);
      if (key === undefined) return;
      const outcome = await attempt(key);
      settle(key, outcome);
      queue.done(key);
    }
  }

  log.info('Starting controller', { controller: name, workers: deps.workers });
  await Promise.all(Array.from({ length: deps.workers }, work));
  queue.shutDown();
  log.info('Stopped controller', { controller: name });
}
