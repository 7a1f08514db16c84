import {
  createWorkQueue,
  type EventRecorder,
  type Explainer,
  type Fence,
  fencedCalls,
  fencedClient,
  type Outcome,
  type QueueMetrics,
  runController,
  runPeriodically,
  type WorkQueue,
} from '@holdfast/control';
import { type Clock, createKeyedLock, type Logger, systemClock, untilAborted } from '@holdfast/core';
import { type KubeClient, objectKey, type PersistentVolumeClaim } from '@holdfast/kube';
import { runGroup } from '@holdfast/sidecar';
import { type ClaimChange, isWorthClaims, isWorthModifying, isWorthResizing } from './claim-changes.ts';
import { createClaimWriter } from './claim-writer.ts';
import type { CsiCalls } from './csi-calls.ts';
import type { ResizeRules } from './decide.ts';
import type { DriverTraits } from './driver-traits.ts';
import { explainModify, explainResize } from './explain.ts';
import { createExplainer, type ExplainClaim } from './explainer.ts';
import { queueName } from './names.ts';
import { createModifyReconcile } from './reconcile-modify.ts';
import { createResizeReconcile } from './reconcile-resize.ts';
import type { Caches } from './stores.ts';
import { createVolumeWriter } from './volume-writer.ts';

export interface ResizerDeps {
  readonly client: KubeClient;
  readonly calls: CsiCalls;
  readonly caches: Caches;
  readonly driver: DriverTraits;
  readonly rules: ResizeRules;
  /** Undefined where volumes are not modified. */
  readonly modify: { readonly hasExtraMetadata: boolean } | undefined;
  readonly recorder: EventRecorder;
  /** So many claims are expanded and, beside them, so many modified at once. */
  readonly workers: number;
  readonly retryIntervalStartMs: number;
  readonly retryIntervalMaxMs: number;
  readonly resyncPeriodMs: number;
  readonly isInUseHandled: boolean;
  readonly queueMetrics?: QueueMetrics;
  readonly clock?: Clock;
  readonly log: Logger;
}

export interface Resizer {
  /** Works until the signal aborts, then drains. Nothing is written and no call is made while the fence is closed. */
  run(signal: AbortSignal, fence: Fence): Promise<void>;
  /** What it says of claims; undefined while it does not run. */
  explainer(): Explainer | undefined;
}

/** Grown claims become grown volumes, changed classes changed volumes. The caches run beside it, on standbys too. */
export function createResizer(deps: ResizerDeps): Resizer {
  let explainer: Explainer | undefined;
  const onExplainer = (current: Explainer | undefined) => {
    explainer = current;
  };
  return {
    run(signal, fence) {
      const calls = fencedCalls(deps.calls, fence);
      return run({ ...deps, client: fencedClient(deps.client, fence), calls, onExplainer }, signal);
    },
    explainer: () => explainer,
  };
}

interface RunDeps extends ResizerDeps {
  readonly onExplainer: (current: Explainer | undefined) => void;
}

async function run(deps: RunDeps, signal: AbortSignal): Promise<void> {
  const { client, caches, driver, log, modify, clock = systemClock } = deps;
  const { claims, volumes, classes } = caches.stores;
  const writer = createClaimWriter({ client, claims });
  const patchVolume = createVolumeWriter({ client, volumes });
  // The two work apart, each with its own back-off, and never on the same claim at once: they would write over each other.
  const lock = createKeyedLock();
  const explain: { resize?: ExplainClaim; modify?: ExplainClaim } = {};

  function createQueue(): WorkQueue {
    return createWorkQueue({
      name: queueName(driver.driverName),
      baseMs: deps.retryIntervalStartMs,
      maxMs: deps.retryIntervalMaxMs,
      clock,
      metrics: deps.queueMetrics,
    });
  }

  /** Works on the claims that `isWorthALook` picks, and on all of them once at the start and each resync. */
  async function work(job: {
    name: string;
    queue: WorkQueue;
    reconcile: (key: string, signal: AbortSignal) => Promise<Outcome>;
    isWorthALook: (change: ClaimChange) => boolean;
    signal: AbortSignal;
  }): Promise<void> {
    const { name, queue, isWorthALook, signal } = job;
    const enqueueAll = () => enqueue(queue, claims.list());
    const subscriptions = [
      claims.subscribe((change) => {
        if (isWorthALook(change)) enqueue(queue, [change.object]);
      }),
      // A claim may be seen before its volume, or before the volume is known to be its own.
      volumes.subscribe((change) => {
        if (isWorthClaims(change)) enqueue(queue, claims.byIndex('volume', change.object.metadata.name));
      }),
    ];
    const reconcile = (key: string, at: AbortSignal) => lock.run(key, () => job.reconcile(key, at), at);
    enqueueAll();
    try {
      await Promise.all([
        runController({ name, queue, workers: deps.workers, reconcile, log, signal }),
        runPeriodically({ periodMs: deps.resyncPeriodMs, act: enqueueAll, clock, signal }),
      ]);
    } finally {
      for (const unsubscribe of subscriptions) unsubscribe();
    }
  }

  async function resizeClaims(signal: AbortSignal): Promise<void> {
    const queue = createQueue();
    const onReleased = (key: string) => queue.add(key);
    const { decide, reconcile } = createResizeReconcile({ ...deps, writer, patchVolume, onReleased, clock, signal });
    explain.resize = (claim) => {
      const step = decide(claim);
      return { verdict: explainResize(step), reason: step.reason, key: queue.report(objectKey(claim)) };
    };
    await work({ name: 'resizer', queue, reconcile, isWorthALook: isWorthResizing, signal });
  }

  async function modifyClaims(hasExtraMetadata: boolean, signal: AbortSignal): Promise<void> {
    // Perhaps never: where the role does not allow to list classes.
    await Promise.race([caches.classesSynced, untilAborted(signal)]);
    if (signal.aborted) return;
    const queue = createQueue();
    // A class never changes, it only comes: then those that have waited for it go on.
    const unsubscribe = classes.subscribe(({ kind, object }) => {
      if (kind === 'added') enqueue(queue, claims.byIndex('class', object.metadata.name));
    });
    try {
      const { decide, reconcile } = createModifyReconcile({ ...deps, writer, patchVolume, hasExtraMetadata, clock });
      explain.modify = (claim) => {
        const step = decide(claim);
        return { verdict: explainModify(step), reason: step.reason, key: queue.report(objectKey(claim)) };
      };
      await work({ name: 'modifier', queue, reconcile, isWorthALook: isWorthModifying, signal });
    } finally {
      unsubscribe();
    }
  }

  await caches.synced;
  const { stores } = caches;
  deps.onExplainer(createExplainer({ stores, resize: () => explain.resize, modify: () => explain.modify }));
  await runGroup(
    {
      ...(driver.canExpand ? { resizer: resizeClaims } : {}),
      ...(modify ? { modifier: (at: AbortSignal) => modifyClaims(modify.hasExtraMetadata, at) } : {}),
      // Without the API for classes there may be nothing to do, which is no reason to end.
      'until the end': untilAborted,
    },
    signal,
  ).finally(() => deps.onExplainer(undefined));
}

function enqueue(queue: WorkQueue, claims: readonly PersistentVolumeClaim[]): void {
  for (const claim of claims) queue.add(objectKey(claim));
}
