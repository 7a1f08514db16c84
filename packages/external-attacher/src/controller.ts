import { isDeepStrictEqual } from 'node:util';
import {
  createWorkQueue,
  type Fence,
  fencedClient,
  type Outcome,
  type QueueMetrics,
  runController,
  type StoreChange,
} from '@holdfast/control';
import { type Clock, createKeyedLock, errorMessage, type Logger, systemClock } from '@holdfast/core';
import type { CSINode, KubeClient, PersistentVolume, VolumeAttachment } from '@holdfast/kube';
import type { Caches } from './caches.ts';
import type { CsiCalls } from './csi-calls.ts';
import { decideAttachment, decideVolume, registeredNodeId } from './decide.ts';
import { findDrift } from './drift.ts';
import { NODE_ID_ANNOTATION, queues } from './names.ts';
import { carryOut, carryOutVolume, type StepDeps } from './steps.ts';
import type { DriverTraits } from './traits.ts';

export interface AttacherDeps {
  readonly client: KubeClient;
  readonly calls: CsiCalls;
  readonly caches: Caches;
  readonly traits: DriverTraits;
  readonly workers: number;
  readonly retryIntervalStartMs: number;
  readonly retryIntervalMaxMs: number;
  /** 0: never. */
  readonly resyncMs: number;
  readonly reconcileSyncMs: number;
  readonly hasErrorCodes: boolean;
  readonly log: Logger;
  readonly metrics?: QueueMetrics;
  readonly clock?: Clock;
}

/** Attaches and detaches until the signal aborts. The caches run elsewhere, so that a standby's are warm. */
export async function runAttacher(deps: AttacherDeps, signal: AbortSignal, fence: Fence): Promise<void> {
  const { caches, traits, workers, log, clock = systemClock } = deps;
  await caches.synced.catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  if (signal.aborted) return;
  const queueOptions = {
    baseMs: deps.retryIntervalStartMs,
    maxMs: deps.retryIntervalMaxMs,
    clock,
    ...(deps.metrics === undefined ? {} : { metrics: deps.metrics }),
  };
  const attachmentQueue = createWorkQueue({ name: queues.attachments, ...queueOptions });
  const volumeQueue = createWorkQueue({ name: queues.volumes, ...queueOptions });
  const forced = new Set<string>();
  const stepDeps: StepDeps = {
    ...deps,
    client: fencedClient(deps.client, fence),
    volumeLock: createKeyedLock(),
    fence,
    clock,
  };

  const isOurs = ({ spec }: VolumeAttachment): boolean => spec.attacher === traits.driverName;
  const addWaiting = (attachments: readonly VolumeAttachment[]): void => {
    for (const attachment of attachments) {
      if (isOurs(attachment) && isUnfinished(attachment)) attachmentQueue.add(attachment.metadata.name);
    }
  };

  function onAttachment(change: StoreChange<VolumeAttachment>): void {
    const { object } = change;
    const volumeName = object.spec.source.persistentVolumeName;
    if (change.kind === 'deleted') {
      forced.delete(object.metadata.name);
      if (volumeName === undefined) return;
      volumeQueue.add(volumeName);
      addWaiting(caches.attachmentsOfVolume(volumeName));
    } else if (isOurs(object) && (change.kind === 'added' || isChangedByOthers(change.old, object, traits))) {
      attachmentQueue.add(object.metadata.name);
    }
  }

  function onVolume(change: StoreChange<PersistentVolume>): void {
    if (change.kind === 'deleted') return;
    volumeQueue.add(change.object.metadata.name);
    if (change.kind === 'added') addWaiting(caches.attachmentsOfVolume(change.object.metadata.name));
  }

  function onCsiNode(change: StoreChange<CSINode>): void {
    if (change.kind === 'deleted') return;
    const isNew =
      change.kind === 'added' || registeredNodeId(change.old, traits) !== registeredNodeId(change.object, traits);
    if (isNew) addWaiting(caches.attachmentsOnNode(change.object.metadata.name));
  }

  function enqueueAll(): void {
    for (const attachment of caches.attachments.list()) {
      if (isOurs(attachment)) attachmentQueue.add(attachment.metadata.name);
    }
    for (const volume of caches.volumes.list()) {
      if (volume.metadata.finalizers?.includes(traits.finalizer)) volumeQueue.add(volume.metadata.name);
    }
  }

  async function reconcileAttachment(key: string, signal: AbortSignal): Promise<Outcome> {
    const attachment = caches.attachments.get(key);
    if (attachment === undefined) return { kind: 'done' };
    const volumeName = attachment.spec.source.persistentVolumeName;
    const step = decideAttachment(
      {
        attachment,
        volume: volumeName === undefined ? undefined : caches.volumes.get(volumeName),
        csiNode: caches.csiNodes.get(attachment.spec.nodeName),
        siblings: volumeName === undefined ? [] : caches.attachmentsOfVolume(volumeName),
        isForced: forced.delete(key),
      },
      traits,
    );
    log.debug(4, 'Decided', { attachment: key, step: step.kind, reason: step.reason });
    return carryOut(step, stepDeps, signal);
  }

  async function reconcileVolume(key: string, signal: AbortSignal): Promise<Outcome> {
    const volume = caches.volumes.get(key);
    if (volume === undefined) return { kind: 'done' };
    return carryOutVolume(decideVolume(volume, caches.attachmentsOfVolume(key), traits), stepDeps, signal);
  }

  /** Compares with the driver's list. A listing that fails skips the round. */
  async function lookForDrift(signal: AbortSignal): Promise<void> {
    const before = caches.attachments.list();
    try {
      const published = await deps.calls.listPublishedNodes(signal);
      for (const name of findDrift(before, published, caches, traits)) {
        log.warn('The driver and the VolumeAttachment differ about whether the volume is attached', {
          attachment: name,
        });
        forced.add(name);
        attachmentQueue.add(name);
      }
    } catch (error) {
      if (!signal.aborted) log.error('Cannot list the published volumes', { error: errorMessage(error) });
    }
  }

  const unsubscribe = [
    caches.attachments.subscribe(onAttachment),
    caches.volumes.subscribe(onVolume),
    caches.csiNodes.subscribe(onCsiNode),
  ];
  enqueueAll();
  const timers = [
    deps.resyncMs > 0 ? every(deps.resyncMs, enqueueAll, clock, signal) : undefined,
    traits.canListPublishedNodes ? repeat(deps.reconcileSyncMs, lookForDrift, clock, signal) : undefined,
  ];
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
      ...timers,
    ]);
  } finally {
    for (const stop of unsubscribe) stop();
  }
}

/** Neither attached nor gone: something may be missing that has just appeared. */
function isUnfinished({ metadata, status }: VolumeAttachment): boolean {
  return metadata.deletionTimestamp !== undefined || !status?.attached;
}

/**
 * Whether somebody else has changed the object. What we write ourselves (errors, finalizer, node id, attached) must not
 * bring it back into the queue: a failed call would be repeated at once, without its back-off.
 */
function isChangedByOthers(old: VolumeAttachment, now: VolumeAttachment, traits: DriverTraits): boolean {
  const hasLostAttached = (old.status?.attached ?? false) && !now.status?.attached;
  return hasLostAttached || !isDeepStrictEqual(othersPart(old, traits), othersPart(now, traits));
}

function othersPart({ metadata, spec }: VolumeAttachment, traits: DriverTraits): unknown {
  const { resourceVersion: _version, finalizers = [], annotations = {}, ...kept } = metadata;
  const { [NODE_ID_ANNOTATION]: _nodeId, ...otherAnnotations } = annotations;
  return { kept, spec, otherAnnotations, otherFinalizers: finalizers.filter((name) => name !== traits.finalizer) };
}

function every(periodMs: number, act: () => void, clock: Clock, signal: AbortSignal): Promise<void> {
  return repeat(periodMs, () => Promise.resolve(act()), clock, signal, periodMs);
}

/** Acts, pauses, and so on until the signal aborts. */
async function repeat(
  pauseMs: number,
  act: (signal: AbortSignal) => Promise<void>,
  clock: Clock,
  signal: AbortSignal,
  firstPauseMs = 0,
): Promise<void> {
  for (let waitMs = firstPauseMs; ; waitMs = pauseMs) {
    await clock.sleep(waitMs, signal).catch(() => {});
    if (signal.aborted) return;
    await act(signal);
  }
}
