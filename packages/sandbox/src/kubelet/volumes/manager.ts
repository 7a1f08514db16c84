import { createWorkQueue, type EventRecorder, type Outcome, runController } from '@holdfast/control';
import { type Clock, type Logger, systemClock } from '@holdfast/core';
import type { Pod } from '@holdfast/kube';
import { uniqueVolumeName } from '../../loops/attaching/names.ts';
import type { KubeletCaches } from '../caches.ts';
import type { RegisteredDriver } from '../plugins/drivers.ts';
import { createVolumeAnnouncer } from './announcer.ts';
import { attachmentOf, isAttachRequired } from './attachment.ts';
import { decideVolume, type VolumeStep } from './decide.ts';
import { createDemands, type Demand } from './demand.ts';
import { groupOf, isGroupApplied } from './group-ownership.ts';
import { createGrowth } from './growth.ts';
import type { VolumesInUse } from './in-use.ts';
import type { CsiVolume } from './spec.ts';
import type { ActualState, VolumeState } from './state.ts';
import { publish, type StepDeps, stage, unpublish, unstage } from './steps.ts';

export interface VolumeManager {
  /**
   * Says which CSI volumes a pod needs from now on. It keeps what it has mounted for as long as a process of it runs, even if
   * its claims have gone.
   */
  demand(podUid: string, demands: readonly Demand[], isRunning: boolean): void;
  isPublished(podUid: string, volume: CsiVolume): boolean;
  /** Whether anything of the pod is, or may be, mounted. */
  hasMounts(podUid: string): boolean;
  /** Looks again at every volume that is not in its back-off: something around them changed. */
  recheckAll(): void;
  onPodChange(listener: (podUid: string) => void): void;
  run(signal: AbortSignal): Promise<void>;
}

export interface VolumeManagerDeps extends StepDeps {
  readonly nodeName: string;
  readonly caches: KubeletCaches;
  readonly state: ActualState;
  readonly inUse: VolumesInUse;
  readonly recorder: EventRecorder;
  readonly log: Logger;
  readonly clock?: Clock;
}

// kubelet's back-off for volume operations.
const firstRetryMs = 500;
const longestRetryMs = 122_000;
const workers = 8;
const done: Outcome = { kind: 'done' };

/** Brings the mounts of this node to what its pods need: one queue key per volume, so one call per volume at a time. */
export function createVolumeManager(deps: VolumeManagerDeps): VolumeManager {
  const { caches, state, inUse } = deps;
  const clock = deps.clock ?? systemClock;
  const announcer = createVolumeAnnouncer({ ...deps, claims: caches.claims });
  const growth = createGrowth({ ...deps, claims: caches.claims, volumes: caches.volumes, announcer, clock });
  const queue = createWorkQueue({ name: 'volumes', baseMs: firstRetryMs, maxMs: longestRetryMs, clock });
  const demands = createDemands();
  const listeners: ((podUid: string) => void)[] = [];

  async function reconcile(uniqueName: string, signal: AbortSignal): Promise<Outcome> {
    for (;;) {
      signal.throwIfAborted();
      const wanted = demands.ofVolume(uniqueName);
      const first = wanted[0];
      const volumeState = first === undefined ? state.get(uniqueName) : state.ensure(first.volume);
      const step = nextStep(uniqueName, volumeState, wanted);
      const pods = wanted.map(({ pod }) => pod);
      switch (step.kind) {
        case 'none':
          forgetUnlessMounted(uniqueName);
          return done;
        case 'wait':
          if (step.for === 'driver' && volumeState !== undefined) {
            announcer.missingDriver(pods, volumeState.ref);
          }
          // What is waited for comes with a change that puts the volume back into the queue.
          return done;
        case 'reportInUse':
          await inUse.add(uniqueName, signal);
          break;
        case 'release':
          await inUse.remove(uniqueName, signal);
          break;
        case 'stage':
        case 'publish':
        case 'expand':
        case 'unpublish':
        case 'unstage': {
          const driver = volumeState === undefined ? undefined : deps.drivers.get(volumeState.ref.driver);
          if (volumeState === undefined || driver === undefined) {
            return done;
          }
          try {
            await callDriver(step, volumeState, driver, wanted, signal);
          } catch (error) {
            if (!signal.aborted) {
              announcer.stepFailed(pods, volumeState.ref, step, error);
            }
            throw error;
          }
          break;
        }
        default:
          return step satisfies never;
      }
    }
  }

  function nextStep(uniqueName: string, volumeState: VolumeState | undefined, wanted: readonly Demand[]): VolumeStep {
    const volume = wanted[0]?.volume;
    const driver = volumeState === undefined ? undefined : deps.drivers.get(volumeState.ref.driver);
    // csiPlugin.CanDeviceMount: a volume that is part of its pod is published and nothing else.
    const canStage = volume?.isEphemeral !== true && driver?.capabilities.has('STAGE_UNSTAGE_VOLUME') === true;
    const canExpand = driver?.capabilities.has('EXPAND_VOLUME') === true;
    return decideVolume({
      wantedBy: wanted.map(({ pod }) => pod.metadata.uid),
      stage: volumeState?.stage ?? 'absent',
      publications: volumeState?.publications ?? new Map(),
      driver: driver === undefined ? 'missing' : canStage ? 'staging' : 'plain',
      heldBy: demands.runningPods(),
      isAttachRequired: volume !== undefined && isAttachRequired(caches, volume),
      isReportedInUse: inUse.has(uniqueName),
      isAttached: volume !== undefined && attachmentOf(caches, deps.nodeName, volume) !== undefined,
      isExpansionDue: canExpand && volume !== undefined && growth.isDue(volume),
    });
  }

  async function callDriver(
    step: Exclude<VolumeStep, { kind: 'none' | 'wait' | 'reportInUse' | 'release' }>,
    volumeState: VolumeState,
    driver: RegisteredDriver,
    wanted: readonly Demand[],
    signal: AbortSignal,
  ): Promise<void> {
    switch (step.kind) {
      case 'unpublish':
        await unpublish(deps, volumeState, driver, step.podUid, signal);
        tellPod(step.podUid);
        return;
      case 'unstage':
        await unstage(deps, volumeState, driver, signal);
        return;
      case 'stage': {
        const { volume, pod } = demandOf(wanted, wanted[0]?.pod.metadata.uid);
        const publishContext = attachmentOf(caches, deps.nodeName, volume)?.status?.attachmentMetadata ?? {};
        const group = mountGroup(pod, driver);
        growth.allowAgain(volume);
        await stage(deps, { state: volumeState, volume, driver, publishContext, mountGroup: group }, signal);
        return;
      }
      case 'publish':
        try {
          await publishTo(demandOf(wanted, step.podUid), volumeState, driver, signal);
        } catch (error) {
          if (demands.ofPod(step.podUid).length === 0) {
            // It was deleted meanwhile, and may be waiting for no more than to hear that nothing is mounted.
            tellPod(step.podUid);
          }
          throw error;
        }
        return;
      case 'expand':
        await growth.grow(demandOf(wanted, wanted[0]?.pod.metadata.uid), driver, signal);
        return;
    }
  }

  async function publishTo(demand: Demand, volumeState: VolumeState, driver: RegisteredDriver, signal: AbortSignal) {
    const { pod, volume } = demand;
    const csiDriver = caches.csiDrivers.get(volume.driver)?.spec;
    const isReadOnly = demand.isReadOnly || volume.isReadOnly;
    const group = mountGroup(pod, driver);
    const isGroupOurs = group === '' && isGroupApplied(volume, csiDriver?.fsGroupPolicy, isReadOnly);
    await publish(
      deps,
      {
        state: volumeState,
        volume,
        driver,
        pod,
        isReadOnly,
        isPodInfoWanted: csiDriver?.podInfoOnMount === true,
        publishContext: attachmentOf(caches, deps.nodeName, volume)?.status?.attachmentMetadata ?? {},
        mountGroup: group,
        group: isGroupOurs ? groupOf(pod) : undefined,
      },
      signal,
    );
    announcer.mounted(pod, volume);
    tellPod(pod.metadata.uid);
  }

  function forgetUnlessMounted(uniqueName: string): void {
    const volumeState = state.get(uniqueName);
    if (volumeState?.stage === 'absent' && volumeState.publications.size === 0) {
      state.forget(uniqueName);
    }
  }

  function tellPod(podUid: string): void {
    listeners.forEach((listener) => listener(podUid));
  }

  /** What failed waits out its back-off: a change elsewhere is no reason to ask the driver again. */
  function isNotBackingOff(name: string): boolean {
    return queue.failures(name) === 0;
  }

  function enqueue(names: Iterable<string>): void {
    for (const name of new Set(names)) {
      queue.add(name);
    }
  }

  return {
    demand: (podUid, next, isRunning) => {
      const before = demands.ofPod(podUid);
      const isChanged = demands.set(podUid, next, isRunning);
      const mounted = state.volumesOf(podUid).map(({ ref }) => uniqueVolumeName(ref.driver, ref.handle));
      const names = [...[...before, ...next].map(({ volume }) => volume.uniqueName), ...mounted];
      enqueue(isChanged ? names : names.filter(isNotBackingOff));
    },
    isPublished: (podUid, volume) => state.get(volume.uniqueName)?.publications.get(podUid) === 'done',
    hasMounts: (podUid) => state.volumesOf(podUid).length > 0,
    recheckAll: () => {
      enqueue([...demands.volumeNames(), ...state.keys(), ...inUse.names()].filter(isNotBackingOff));
    },
    onPodChange: (listener) => {
      listeners.push(listener);
    },
    run: (signal) => runController({ name: 'volumes', queue, workers, reconcile, log: deps.log, signal }),
  };
}

function demandOf(wanted: readonly Demand[], podUid: string | undefined): Demand {
  const demand = wanted.find(({ pod }) => pod.metadata.uid === podUid);
  if (demand === undefined) {
    throw new Error(`pod ${podUid ?? ''} no longer needs the volume`);
  }
  return demand;
}

function mountGroup(pod: Pod, driver: RegisteredDriver): string {
  const group = groupOf(pod);
  return group !== undefined && driver.capabilities.has('VOLUME_MOUNT_GROUP') ? String(group) : '';
}
