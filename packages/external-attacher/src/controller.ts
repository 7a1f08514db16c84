import { isDeepStrictEqual } from 'node:util';
import {
  createWorkQueue,
  type Fence,
  fencedCalls,
  fencedClient,
  type Outcome,
  type QueueMetrics,
  runController,
  runPeriodically,
  type StoreChange,
  type WorkQueue,
} from '@holdfast/control';
import { type Clock, errorMessage, type Logger, systemClock } from '@holdfast/core';
import type { CSINode, KubeClient, PersistentVolume, VolumeAttachment } from '@holdfast/kube';
import type { CsiCalls } from './csi-calls.ts';
import { decideAttachment, hasFinalizer, registeredNodeId } from './decide.ts';
import { decideVolume } from './decide-volume.ts';
import { findDrift } from './drift.ts';
import type { DriverTraits } from './driver-traits.ts';
import { annotations, queues } from './names.ts';
import { createObjectWriter } from './object-writer.ts';
import { createAttachmentSteps } from './steps.ts';
import { createVolumeSteps } from './steps-volume.ts';
import type { Caches } from './stores.ts';

export interface AttacherDeps {
  readonly client: KubeClient;
  readonly calls: CsiCalls;
  readonly caches: Caches;
  readonly driver: DriverTraits;
  /** So many VolumeAttachments and, beside them, so many volumes are worked on at once. */
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
}

/**
 * VolumeAttachments become published volumes, deleted ones are unpublished. The caches run beside it, on standbys too.
 */
export function createAttacher(deps: AttacherDeps): Attacher {
  return {
    run: (signal, fence) =>
      run({ ...deps, client: fencedClient(deps.client, fence), calls: fencedCalls(deps.calls, fence) }, signal),
  };
}

async function run(deps: AttacherDeps, signal: AbortSignal): Promise<void> {
  const { client, calls, caches, driver, hasErrorCodes, log, clock = systemClock } = deps;
  const { stores } = caches;
  const { attachments, volumes, csiNodes } = stores;
  // VolumeAttachments to act on although their status says that all is done.
  const forced = new Set<string>();
  const writer = createObjectWriter({ client, stores });
  const attachmentSteps = createAttachmentSteps({ client, calls, stores, writer, driver, hasErrorCodes, clock, log });
  const volumeSteps = createVolumeSteps({ writer, driver, log });

  async function reconcileAttachment(name: string, signal: AbortSignal): Promise<Outcome> {
    const attachment = attachments.get(name);
    if (!attachment) return { kind: 'done' };
    const volumeName = attachment.spec.source.persistentVolumeName;
    const step = decideAttachment(
      {
        attachment,
        volume: volumeName === undefined ? undefined : volumes.get(volumeName),
        csiNode: csiNodes.get(attachment.spec.nodeName),
        siblings: volumeName === undefined ? [] : attachments.byIndex('volume', volumeName),
        isForced: forced.delete(name),
      },
      driver,
    );
    return await attachmentSteps(name, step, signal);
  }

  async function reconcileVolume(name: string, signal: AbortSignal): Promise<Outcome> {
    const volume = volumes.get(name);
    if (!volume) return { kind: 'done' };
    const step = decideVolume({ volume, attachments: attachments.byIndex('volume', name) }, driver);
    return await volumeSteps(name, step, signal);
  }

  const isOurs = ({ spec }: VolumeAttachment): boolean => spec.attacher === driver.driverName;

  function enqueueAll(): void {
    for (const attachment of attachments.list()) {
      if (isOurs(attachment)) attachmentQueue.add(attachment.metadata.name);
    }
    for (const volume of volumes.list()) {
      if (hasFinalizer(volume, driver)) volumeQueue.add(volume.metadata.name);
    }
  }

  /** Which change puts what into a queue. */
  function subscribe(): () => void {
    const addWaiting = (found: readonly VolumeAttachment[]) => {
      for (const attachment of found) {
        if (isOurs(attachment) && isUnfinished(attachment)) attachmentQueue.add(attachment.metadata.name);
      }
    };
    const onAttachment = (change: StoreChange<VolumeAttachment>) => {
      const { metadata, spec } = change.object;
      if (change.kind === 'deleted') {
        forced.delete(metadata.name);
        const volumeName = spec.source.persistentVolumeName;
        if (volumeName === undefined) return;
        volumeQueue.add(volumeName);
        addWaiting(attachments.byIndex('volume', volumeName));
      } else if (
        isOurs(change.object) &&
        (change.kind === 'added' || isChangedByOthers(change.old, change.object, driver))
      ) {
        attachmentQueue.add(metadata.name);
      }
    };
    const onVolume = ({ kind, object: { metadata } }: StoreChange<PersistentVolume>) => {
      if (kind === 'deleted') return;
      volumeQueue.add(metadata.name);
      if (kind === 'added') addWaiting(attachments.byIndex('volume', metadata.name));
    };
    const onCsiNode = (change: StoreChange<CSINode>) => {
      if (change.kind === 'deleted') return;
      const isNew =
        change.kind === 'added' || registeredNodeId(change.old, driver) !== registeredNodeId(change.object, driver);
      if (isNew) addWaiting(attachments.byIndex('node', change.object.metadata.name));
    };
    const subscriptions = [
      attachments.subscribe(onAttachment),
      volumes.subscribe(onVolume),
      csiNodes.subscribe(onCsiNode),
    ];
    return () => {
      for (const unsubscribe of subscriptions) unsubscribe();
    };
  }

  /** Compares with the driver's list. A listing that fails skips the round. */
  async function lookForDrift(signal: AbortSignal): Promise<void> {
    const before = attachments.list();
    try {
      const published = await calls.listPublishedNodes(signal);
      for (const name of findDrift(before, published, stores, driver)) {
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

  function createQueue(name: string): WorkQueue {
    return createWorkQueue({
      name,
      baseMs: deps.retryIntervalStartMs,
      maxMs: deps.retryIntervalMaxMs,
      clock,
      metrics: deps.queueMetrics,
    });
  }

  const attachmentQueue = createQueue(queues.attachments);
  const volumeQueue = createQueue(queues.volumes);
  await caches.synced;
  const unsubscribe = subscribe();
  enqueueAll();
  const { workers } = deps;
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
    unsubscribe();
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
function isChangedByOthers(old: VolumeAttachment, now: VolumeAttachment, driver: DriverTraits): boolean {
  const hasLostAttached = (old.status?.attached ?? false) && !now.status?.attached;
  return hasLostAttached || !isDeepStrictEqual(othersPart(old, driver), othersPart(now, driver));
}

function othersPart({ metadata, spec }: VolumeAttachment, driver: DriverTraits): unknown {
  const { resourceVersion: _version, finalizers = [], annotations: notes = {}, ...kept } = metadata;
  const { [annotations.nodeId]: _nodeId, ...othersNotes } = notes;
  return { kept, spec, othersNotes, othersFinalizers: finalizers.filter((name) => name !== driver.finalizer) };
}
