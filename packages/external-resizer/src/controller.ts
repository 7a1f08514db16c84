import {
  createWorkQueue,
  type EventRecorder,
  type Fence,
  fencedCalls,
  fencedClient,
  type Outcome,
  type QueueMetrics,
  runController,
  runPeriodically,
  type StoreChange,
} from '@holdfast/control';
import { type Clock, type Logger, systemClock } from '@holdfast/core';
import { type KubeClient, objectKey, type PersistentVolumeClaim } from '@holdfast/kube';
import { createClaimEvents } from './claim-events.ts';
import { createClaimMemory } from './claim-memory.ts';
import { createClaimWriter } from './claim-writer.ts';
import type { CsiCalls } from './csi-calls.ts';
import { decideClaim, type ResizeContext, type ResizeRules } from './decide.ts';
import type { DriverTraits } from './driver-traits.ts';
import { queueName, resourceStatuses } from './names.ts';
import { createPodUsage } from './pod-usage.ts';
import { createClaimSteps } from './steps.ts';
import type { Caches } from './stores.ts';

export interface ResizerDeps {
  readonly client: KubeClient;
  /** None for a driver that expands on the node alone. */
  readonly calls: CsiCalls | undefined;
  readonly caches: Caches;
  readonly driver: DriverTraits;
  readonly rules: ResizeRules;
  readonly recorder: EventRecorder;
  /** So many claims are worked on at once. */
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
}

/** Grown claims become grown volumes. The caches run beside it, on standbys too. */
export function createResizer(deps: ResizerDeps): Resizer {
  return {
    run(signal, fence) {
      const calls = deps.calls && fencedCalls(deps.calls, fence);
      return run({ ...deps, client: fencedClient(deps.client, fence), calls }, signal);
    },
  };
}

async function run(deps: ResizerDeps, signal: AbortSignal): Promise<void> {
  const { client, caches, driver, rules, recorder, log, clock = systemClock } = deps;
  const { claims, volumes } = caches.stores;
  const context: ResizeContext = { driver, rules };
  const queue = createWorkQueue({
    name: queueName(driver.driverName),
    baseMs: deps.retryIntervalStartMs,
    maxMs: deps.retryIntervalMaxMs,
    clock,
    metrics: deps.queueMetrics,
  });
  const memory = createClaimMemory();
  const pods = createPodUsage({
    client,
    isEnabled: deps.isInUseHandled,
    onReleased: (key) => enqueue(claims.get(key)),
    log,
    clock,
    signal,
  });
  const claimSteps = createClaimSteps({
    client,
    calls: deps.calls,
    volumes,
    writer: createClaimWriter({ client, claims }),
    events: createClaimEvents({ recorder, driverName: driver.driverName }),
    memory,
    pods,
    rules,
    infeasibleRestMs: deps.retryIntervalMaxMs,
    clock,
    log,
  });

  function enqueue(claim: PersistentVolumeClaim | undefined): void {
    if (claim) queue.add(objectKey(claim));
  }

  async function reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const claim = claims.get(key);
    const step = decideClaim(
      {
        claim,
        volume: volumes.get(claim?.spec?.volumeName ?? ''),
        facts: memory.facts(claim),
        usingPod: claim ? pods.podUsing(claim) : undefined,
        nowMs: clock.monotonicMs(),
      },
      context,
    );
    return await claimSteps(key, step, signal);
  }

  /** Which change puts which claim into the queue. */
  function subscribe(): () => void {
    const subscriptions = [
      claims.subscribe((change) => {
        if (isWorthALook(change)) enqueue(change.object);
      }),
      // A claim may be seen before its volume.
      volumes.subscribe(({ kind, object }) => {
        if (kind === 'added') claims.byIndex('volume', object.metadata.name).forEach(enqueue);
      }),
    ];
    return () => {
      for (const unsubscribe of subscriptions) unsubscribe();
    };
  }

  function enqueueAll(): void {
    claims.list().forEach(enqueue);
  }

  await caches.synced;
  const unsubscribe = subscribe();
  enqueueAll();
  try {
    await Promise.all([
      runController({ name: 'resizer', queue, workers: deps.workers, reconcile, log, signal }),
      runPeriodically({ periodMs: deps.resyncPeriodMs, act: enqueueAll, clock, signal }),
    ]);
  } finally {
    unsubscribe();
  }
}

/**
 * Whether a change of a claim calls for a look at once, past its back-off. What we write ourselves does not: each
 * failure that we show on the claim would be retried without a pause.
 */
function isWorthALook(change: StoreChange<PersistentVolumeClaim>): boolean {
  if (change.kind !== 'updated') return true;
  if (othersPart(change.object) !== othersPart(change.old)) return true;
  const status = statusOf(change.object);
  return status !== statusOf(change.old) && (status === '' || status === resourceStatuses.nodeInfeasible);
}

/** What users, the binder and kubelet change, as one text to compare. */
function othersPart({ spec, status }: PersistentVolumeClaim): string {
  return [spec?.volumeName, spec?.resources?.requests?.storage, status?.phase, status?.capacity?.storage].join(' ');
}

function statusOf({ status }: PersistentVolumeClaim): string {
  return status?.allocatedResourceStatuses?.storage ?? '';
}
