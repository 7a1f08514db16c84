import {
  createWorkQueue,
  type EventRecorder,
  type Explainer,
  type Fence,
  fencedCalls,
  fencedClient,
  type LeaseNotes,
  type Outcome,
  type QueueMetrics,
  readLive,
  runController,
  type WorkQueue,
} from '@holdfast/control';
import { type Clock, errorMessage, type Logger, systemClock } from '@holdfast/core';
import {
  type KubeClient,
  type PersistentVolume,
  persistentVolumes,
  storageClasses,
  volumeAttributesClasses,
} from '@holdfast/kube';
import { createAttachRequirement } from './attach-requirement.ts';
import type { CapacityController } from './capacity/capacity-controller.ts';
import { segmentsOfVolume } from './capacity/segments.ts';
import { createClaimEvents } from './claim-events.ts';
import { type ClaimJournal, createClaimJournal } from './claim-journal.ts';
import { createClaimMemory } from './claim-memory.ts';
import { createCloneSources } from './clone-sources.ts';
import { createClusterTopology } from './cluster-topology.ts';
import type { SourceView } from './content-source.ts';
import { createContention } from './contention.ts';
import type { CsiCalls } from './csi-calls.ts';
import { type ClaimStep, classNameOf, decideClaim, type ProvisionContext } from './decide.ts';
import { decideVolume } from './decide-volume.ts';
import type { DriverTraits } from './driver-traits.ts';
import { createExplainer } from './explainer.ts';
import { translated, volumeForDriver } from './in-tree.ts';
import type { ProvisionMetrics } from './metrics.ts';
import { queues } from './names.ts';
import { isLocal, type NodeRole, nodeTopology } from './node-role.ts';
import type { ProvisionRules } from './plan.ts';
import { readSource } from './read-source.ts';
import { sweepSnapshots } from './snapshot-sweep.ts';
import { createSourceProtection } from './source-protection.ts';
import { createClaimSteps } from './steps.ts';
import { createNodeSteps } from './steps-node.ts';
import { createVolumeSteps } from './steps-volume.ts';
import type { Caches } from './stores.ts';
import { takeOver } from './take-over.ts';
import { createVolumeMemory } from './volume-memory.ts';
import { volumeNameFor } from './volume-name.ts';
import type { NodeAffinity } from './volume-object.ts';
import { wakeQueues } from './wake-queues.ts';

export interface ProvisionerDeps {
  readonly client: KubeClient;
  readonly calls: CsiCalls;
  readonly caches: Caches;
  readonly driver: DriverTraits;
  readonly rules: ProvisionRules;
  readonly recorder: EventRecorder;
  readonly metrics: ProvisionMetrics;
  /** Names this process in the volumes it makes. */
  readonly identity: string;
  /** So many claims and, beside them, so many volumes are worked on at once. */
  readonly workers: number;
  readonly node: NodeRole | undefined;
  /** Set with `--enable-capacity`. */
  readonly createCapacity?: ((deps: { client: KubeClient; calls: CsiCalls }) => CapacityController) | undefined;
  readonly cloneSourceWorkers: number;
  /** 0: no sweep. */
  readonly snapshotSweepIntervalMs: number;
  readonly retryIntervalStartMs: number;
  readonly retryIntervalMaxMs: number;
  readonly queueMetrics?: QueueMetrics;
  readonly clock?: Clock;
  readonly log: Logger;
}

export interface Provisioner {
  /** Works until the signal aborts, then drains. Nothing is written and no call is made while the fence is closed. */
  run(signal: AbortSignal, fence: Fence, notes?: LeaseNotes): Promise<void>;
  /** What it says of claims and volumes; undefined while it does not run. */
  explainer(): Explainer | undefined;
}

/** Claims become volumes, released volumes are deleted. The caches run beside it, on standbys too. */
export function createProvisioner(deps: ProvisionerDeps): Provisioner {
  let explainer: Explainer | undefined;
  return {
    run: (signal, fence, notes) => {
      const client = fencedClient(deps.client, fence);
      const calls = fencedCalls(deps.calls, fence);
      const journal = createClaimJournal({ notes, fence, log: deps.log });
      const onExplainer = (current: Explainer | undefined) => {
        explainer = current;
      };
      return run({ ...deps, client, calls, journal, onExplainer }, signal);
    },
    explainer: () => explainer,
  };
}

interface RunDeps extends ProvisionerDeps {
  readonly journal: ClaimJournal;
  readonly onExplainer: (current: Explainer | undefined) => void;
}

async function run(deps: RunDeps, signal: AbortSignal): Promise<void> {
  const { client, calls, caches, driver, rules, node, journal, recorder, metrics, log, clock = systemClock } = deps;
  const { claims, volumes, classes, attachments, nodes, csiNodes, attributesClasses } = caches.stores;
  const claimMemory = createClaimMemory({ clock, onSettled: journal.settle });
  const volumeMemory = createVolumeMemory();
  const capacity = deps.createCapacity?.({ client, calls });
  const onRoomChanged = (className: string, affinity: NodeAffinity) =>
    capacity?.refresh(className, segmentsOfVolume(affinity));
  const sources = createSourceProtection({ client, claims, memory: claimMemory, log });
  const reconcileCloneSource = createCloneSources({ client, claims, isInUse: sources.isInUse, log });
  const isAttachRequired = createAttachRequirement({ client, driver, clock, log });
  const context: ProvisionContext = {
    driver,
    rules,
    node,
    cluster: node ? nodeTopology(node) : createClusterTopology({ driverName: driver.driverName, nodes, csiNodes }),
  };
  const contention = node && createContention({ role: node, clock });
  const claimSteps = createClaimSteps({
    client,
    calls,
    claims,
    volumes,
    memory: claimMemory,
    journal,
    onRoomChanged,
    sources,
    nodeSteps: node && contention && createNodeSteps({ client, calls, claims, contention, role: node, log }),
    events: createClaimEvents({ recorder, claims }),
    metrics,
    driver,
    infeasibleRestMs: deps.retryIntervalMaxMs,
    maker: async (signal) => ({
      driverName: driver.driverName,
      plugin: driver.plugin,
      identity: deps.identity,
      hasTopology: driver.hasTopology,
      attacherFinalizer: (await isAttachRequired(signal)) ? driver.attacherFinalizer : undefined,
    }),
    clock,
    log,
  });
  const volumeSteps = createVolumeSteps({
    client,
    calls,
    volumes,
    classes,
    memory: volumeMemory,
    journal,
    onRoomChanged,
    recorder,
    metrics,
    driver,
    clock,
    log,
  });

  function decideNow(uid: string, source?: SourceView): ClaimStep {
    const [claim] = claims.byIndex('uid', uid);
    const className = claim && classNameOf(claim);
    const attributesName = claim?.spec?.volumeAttributesClassName;
    return decideClaim(
      {
        claim,
        attributesClass: attributesName ? attributesClasses.get(attributesName) : undefined,
        ...(source === undefined ? {} : { source }),
        storageClass: className ? classes.get(className) : undefined,
        volume: volumes.get(volumeNameFor(uid, rules.naming)),
        progress: claimMemory.progress(uid),
        infeasible: claimMemory.infeasible(uid),
        contentionMs: contention?.remainingMs(uid),
      },
      context,
    );
  }

  async function reconcileClaim(uid: string, signal: AbortSignal): Promise<Outcome> {
    const [claim] = claims.byIndex('uid', uid);
    const className = claim && classNameOf(claim);
    const attributesName = claim?.spec?.volumeAttributesClassName;
    if (
      attributesName &&
      rules.hasAttributesClasses &&
      driver.canModifyVolumes &&
      !attributesClasses.get(attributesName)
    ) {
      const from = { client, resource: volumeAttributesClasses, store: attributesClasses };
      await readLive(from, { name: attributesName }, signal);
    }
    let step = decideNow(uid);
    // A class and its claim often come together, over two watches: nobody shall be told that what is there is missing.
    if (step.kind === 'refuse' && className && !classes.get(className)) {
      await readLive({ client, resource: storageClasses, store: classes }, { name: className }, signal);
      step = decideNow(uid);
    }
    if (step.kind === 'lookUp') step = decideNow(uid, await readSource(client, step.source, signal));
    return await claimSteps(uid, step, signal);
  }

  async function reconcileVolume(name: string, signal: AbortSignal): Promise<Outcome> {
    let step = decide(volumes.get(name));
    // Data is about to be destroyed: the cache may not know yet that the volume was claimed again or is to be retained.
    if (step.kind === 'delete') {
      step = decide(await readLive({ client, resource: persistentVolumes, store: volumes }, { name }, signal));
    }
    return await volumeSteps(name, step, signal);
  }

  function decide(volume: PersistentVolume | undefined) {
    const attachedNodes = volume
      ? attachments.byIndex('volume', volume.metadata.name).map(({ spec }) => spec.nodeName)
      : [];
    const isOurNode = !volume || !node || isHere(volume, node);
    const stage = volume && volumeMemory.stage(volume);
    return decideVolume({ volume, attachedNodes, stage, isLocal: isOurNode }, driver);
  }

  /** A volume that cannot be translated is on every node: all tell why, and none deletes it. */
  function isHere(volume: PersistentVolume, role: NodeRole): boolean {
    const inCsi = translated(() => volumeForDriver(volume, driver));
    return 'refusal' in inCsi || isLocal(inCsi.value, role);
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

  const claimQueue = createQueue(queues.claims);
  const volumeQueue = createQueue(queues.volumes);
  const cloneSourceQueue = createQueue(queues.cloneSources);
  await caches.synced;
  takeOver({ journal, memory: claimMemory, stores: caches.stores, queue: claimQueue, log });
  const unsubscribe = wakeQueues({
    stores: caches.stores,
    memory: claimMemory,
    contention,
    claimQueue,
    volumeQueue,
    cloneSourceQueue,
  });
  // Gone by force, or kept on purpose after its object went: nobody must take it for one that is being made.
  const unsubscribeGone = volumes.subscribe(({ kind, object }) => {
    if (kind !== 'deleted') return;
    journal.settled(object.spec?.claimRef?.uid ?? '', signal).catch((error: unknown) => {
      log.warn('Cannot take a volume that is gone off the lease; tried again with the next write', {
        volume: object.metadata.name,
        error: errorMessage(error),
      });
    });
  });
  const { workers } = deps;
  deps.onExplainer(
    createExplainer({
      stores: caches.stores,
      memory: claimMemory,
      decideClaim: decideNow,
      decideVolume: decide,
      claimQueue,
      volumeQueue,
    }),
  );
  try {
    await Promise.all([
      runController({ name: queues.claims, queue: claimQueue, workers, reconcile: reconcileClaim, log, signal }),
      ...(capacity ? [capacity.run(signal)] : []),
      ...(driver.canCloneVolumes
        ? [
            runController({
              name: queues.cloneSources,
              queue: cloneSourceQueue,
              workers: deps.cloneSourceWorkers,
              reconcile: reconcileCloneSource,
              log,
              signal,
            }),
          ]
        : []),
      ...(driver.canRestoreSnapshots
        ? [
            sweepSnapshots({
              client,
              driverName: driver.driverName,
              intervalMs: deps.snapshotSweepIntervalMs,
              isInUse: sources.isInUse,
              clock,
              log,
              signal,
            }),
          ]
        : []),
      runController({ name: queues.volumes, queue: volumeQueue, workers, reconcile: reconcileVolume, log, signal }),
    ]);
  } finally {
    deps.onExplainer(undefined);
    unsubscribe();
    unsubscribeGone();
  }
}
