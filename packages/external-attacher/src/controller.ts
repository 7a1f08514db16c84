import {
  createLanes,
  createWorkQueue,
  type Explainer,
  type Fence,
  fencedCalls,
  fencedClient,
  type Outcome,
  type QueueMetrics,
  runController,
  runPeriodically,
} from '@holdfast/control';
import { type Clock, errorMessage, type Logger, systemClock } from '@holdfast/core';
import type { KubeClient, PersistentVolume, VolumeAttachment } from '@holdfast/kube';
import { followChanges } from './changes.ts';
import type { CsiCalls } from './csi-calls.ts';
import { type AttachmentStep, decideAttachment, hasFinalizer } from './decide.ts';
import { decideVolume, type VolumeStep } from './decide-volume.ts';
import { findDrift } from './drift.ts';
import { createDriftRounds } from './drift-rounds.ts';
import type { DriverTraits } from './driver-traits.ts';
import { createExplainer } from './explainer.ts';
import { queues } from './names.ts';
import { createObjectWriter } from './object-writer.ts';
import { createRepairs } from './repairs.ts';
import { createAttachmentSteps } from './steps.ts';
import { createVolumeSteps } from './steps-volume.ts';
import type { Caches } from './stores.ts';

export interface AttacherDeps {
  readonly client: KubeClient;
  readonly calls: CsiCalls;
  readonly caches: Caches;
  readonly driver: DriverTraits;
  /**
   * So many VolumeAttachments and, beside them, so many volumes are worked on at once. Attaches and detaches take turns,
   * and neither takes the last worker from the other.
   */
  readonly workers: number;
  readonly retryIntervalStartMs: number;
  readonly retryIntervalMaxMs: number;
  /** 0: never. */
  readonly resyncMs: number;
  readonly reconcileSyncMs: number;
  /** Gate MutableCSINodeAllocatableCount. */
  readonly hasErrorCodes: boolean;
  readonly queueMetrics?: QueueMetrics;
  readonly clock?: Clock;
  readonly log: Logger;
}

export interface Attacher {
  /** Works until the signal aborts, then drains. Nothing is written and no call is made while the fence is closed. */
  run(signal: AbortSignal, fence: Fence): Promise<void>;
  /** What it says of VolumeAttachments and volumes; undefined while it does not run. */
  explainer(): Explainer | undefined;
}

/**
 * VolumeAttachments become published volumes, deleted ones are unpublished. The caches run beside it, on standbys too.
 */
export function createAttacher(deps: AttacherDeps): Attacher {
  let explainer: Explainer | undefined;
  const onExplainer = (current: Explainer | undefined) => {
    explainer = current;
  };
  return {
    run: (signal, fence) => {
      const calls = fencedCalls(deps.calls, fence);
      return run({ ...deps, client: fencedClient(deps.client, fence), calls, onExplainer }, signal);
    },
    explainer: () => explainer,
  };
}

interface RunDeps extends AttacherDeps {
  readonly onExplainer: (current: Explainer | undefined) => void;
}

async function run(deps: RunDeps, signal: AbortSignal): Promise<void> {
  const { client, calls, caches, driver, hasErrorCodes, log, clock = systemClock } = deps;
  const { stores } = caches;
  const { attachments, volumes, csiNodes } = stores;
  const driftRounds = createDriftRounds();
  const writer = createObjectWriter({ client, stores });
  const attachmentSteps = createAttachmentSteps({ client, calls, stores, writer, driver, hasErrorCodes, clock, log });
  const volumeSteps = createVolumeSteps({ writer, driver, log });

  function decideNow(attachment: VolumeAttachment): AttachmentStep {
    const volumeName = attachment.spec.source.persistentVolumeName;
    return decideAttachment(
      {
        attachment,
        volume: volumeName === undefined ? undefined : volumes.get(volumeName),
        csiNode: csiNodes.get(attachment.spec.nodeName),
        siblings: volumeName === undefined ? [] : attachments.byIndex('volume', volumeName),
        isForced: repairs.has(attachment.metadata.name),
      },
      driver,
    );
  }

  async function reconcileAttachment(name: string, signal: AbortSignal): Promise<Outcome> {
    const attachment = attachments.get(name);
    if (!attachment) return { kind: 'done' };
    const isForced = repairs.has(name);
    const step = decideNow(attachment);
    const outcome = await attachmentSteps(name, step, signal);
    if (isForced) repairs.tried(name, outcome.kind === 'done');
    return outcome;
  }

  async function reconcileVolume(name: string, signal: AbortSignal): Promise<Outcome> {
    const volume = volumes.get(name);
    if (!volume) return { kind: 'done' };
    return await volumeSteps(name, decideVolumeNow(volume), signal);
  }

  function decideVolumeNow(volume: PersistentVolume): VolumeStep {
    return decideVolume({ volume, attachments: attachments.byIndex('volume', volume.metadata.name) }, driver);
  }

  function enqueueAll(): void {
    for (const attachment of attachments.list()) {
      if (attachment.spec.attacher === driver.driverName) attachmentQueue.add(attachment.metadata.name);
    }
    for (const volume of volumes.list()) {
      if (hasFinalizer(volume, driver)) volumeQueue.add(volume.metadata.name);
    }
  }

  /** Compares with the driver's list. A listing that fails skips the round. */
  async function lookForDrift(signal: AbortSignal): Promise<void> {
    const before = attachments.list();
    try {
      const { lost, unfinished } = findDrift(before, await calls.listPublishedNodes(signal), stores, driver);
      const due = driftRounds.due(new Set([...lost, ...unfinished]));
      for (const name of lost.filter((each) => due.has(each))) {
        log.warn('The driver does not list an attached volume, which is to be published again', { attachment: name });
        repairs.add(name);
      }
      for (const name of unfinished.filter((each) => due.has(each))) attachmentQueue.add(name);
    } catch (error) {
      if (!signal.aborted) log.error('Cannot list the published volumes', { error: errorMessage(error) });
    }
  }

  const retries = {
    baseMs: deps.retryIntervalStartMs,
    maxMs: deps.retryIntervalMaxMs,
    clock,
    metrics: deps.queueMetrics,
  };
  const attachmentQueue = createWorkQueue({
    ...retries,
    name: queues.attachments,
    order: createLanes({
      laneOf: (name) => (attachments.get(name)?.metadata.deletionTimestamp === undefined ? 'attach' : 'detach'),
      maxPerLane: Math.max(1, deps.workers - 1),
    }),
  });
  const volumeQueue = createWorkQueue({ ...retries, name: queues.volumes });
  const repairs = createRepairs({
    limit: Math.max(1, Math.floor(deps.workers / 2)),
    enqueue: (name) => attachmentQueue.add(name),
  });
  await caches.synced;
  const unsubscribe = followChanges({ stores, driver, attachmentQueue, volumeQueue, repairs });
  enqueueAll();
  const { workers } = deps;
  const decisions = { decideAttachment: decideNow, decideVolume: decideVolumeNow };
  deps.onExplainer(createExplainer({ stores, driver, ...decisions, attachmentQueue, volumeQueue }));
  try {
    await Promise.all([
      runController({
        name: queues.attachments,
        queue: attachmentQueue,
        workers,
        reconcile: reconcileAttachment,
        log,
        signal,
      }),
      runController({ name: queues.volumes, queue: volumeQueue, workers, reconcile: reconcileVolume, log, signal }),
      deps.resyncMs > 0 && runPeriodically({ periodMs: deps.resyncMs, act: enqueueAll, clock, signal }),
      driver.canListPublishedNodes &&
        runPeriodically({ periodMs: deps.reconcileSyncMs, isFirstAtOnce: true, act: lookForDrift, clock, signal }),
    ]);
  } finally {
    deps.onExplainer(undefined);
    unsubscribe();
  }
}
