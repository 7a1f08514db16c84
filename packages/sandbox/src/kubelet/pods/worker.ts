import { createWorkQueue, type EventRecorder, type Outcome, runController } from '@holdfast/control';
import { type Clock, errorMessage, type Logger, systemClock } from '@holdfast/core';
import type { KubeClient, Pod } from '@holdfast/kube';
import type { KubeletCaches } from '../caches.ts';
import type { ContentVolumes } from '../content/content-volumes.ts';
import { imageNotPulledMessage, reasons } from '../names.ts';
import type { KubeletPaths } from '../paths.ts';
import type { VolumeManager } from '../volumes/manager.ts';
import { ContainerSpecError, containerSpec } from './container-spec.ts';
import { decidePod, type PodStep, type PodView } from './decide.ts';
import { removePodDir, removePodFolders } from './folders.ts';
import type { LocalPod, LocalPods } from './local-pods.ts';
import { type PodVolumes, readPodVolumes } from './pod-volumes.ts';
import type { ContainerRuntime } from './runtime.ts';
import { podStatus } from './status.ts';
import { createStatusWriter } from './status-writer.ts';

export interface PodWorkerDeps {
  readonly client: KubeClient;
  readonly caches: KubeletCaches;
  readonly paths: KubeletPaths;
  readonly runtime: ContainerRuntime;
  readonly volumes: VolumeManager;
  readonly content: ContentVolumes;
  readonly local: LocalPods;
  readonly recorder: EventRecorder;
  readonly log: Logger;
  readonly clock?: Clock;
}

const done: Outcome = { kind: 'done' };
const defaultGraceSeconds = 30;
/** For a pod that was taken out of the API at once: kubelet still gives it a moment. */
const orphanGraceMs = 2_000;
const killCheckMs = 1_000;
const volumeRecheckMs = 5_000;
const workers = 8;

export interface PodWorker {
  enqueue(uid: string): void;
  /** Says what every pod that was found on disk needs. Until then the volume manager would take its volumes for nobody's. */
  demandVolumesOfAll(): void;
  /** From now on every pod is ended here, and the API is told nothing: it may be gone already. */
  endAll(): void;
  run(signal: AbortSignal): Promise<void>;
}

/** Brings the pods of this node to life and to an end: one queue key per pod uid. */
export function createPodWorker(deps: PodWorkerDeps): PodWorker {
  const { caches, local, runtime, volumes } = deps;
  const clock = deps.clock ?? systemClock;
  const queue = createWorkQueue({ name: 'pods', baseMs: 100, maxMs: 60_000, clock });
  const statuses = createStatusWriter({ client: deps.client, pods: caches.pods });
  /** Why a container or a volume could not be made, said once, until it can. */
  const lastErrors = new Map<string, string>();
  let isEndingAll = false;

  async function reconcile(uid: string, signal: AbortSignal): Promise<Outcome> {
    const seen = isEndingAll ? undefined : seenPod(uid);
    const isDeleted = seen?.metadata.deletionTimestamp !== undefined;
    const isNew = local.get(uid) === undefined;
    if (isNew && (seen === undefined || (isFinal(seen) && !isDeleted))) {
      return done;
    }
    const entry = seen === undefined ? local.get(uid) : await local.ensure(seen);
    if (entry === undefined) {
      return done;
    }
    for (;;) {
      signal.throwIfAborted();
      const podVolumes = entry.pod === undefined ? undefined : readPodVolumes(deps, entry.pod);
      const view = viewOf(entry, seen, podVolumes);
      const step = decidePod(view);
      demandVolumes(entry, podVolumes, view, step);
      const outcome = await carryOut(step, entry, seen, podVolumes, view, signal);
      if (outcome !== undefined) {
        return outcome;
      }
    }
  }

  /** Undefined asks for the next step at once. */
  async function carryOut(
    step: PodStep,
    entry: LocalPod,
    seen: Pod | undefined,
    podVolumes: PodVolumes | undefined,
    view: PodView,
    signal: AbortSignal,
  ): Promise<Outcome | undefined> {
    const { pod, uid } = entry;
    switch (step.kind) {
      case 'awaitVolumes':
        return awaitVolumes(pod, podVolumes, view, signal);
      case 'start':
        return startContainer(entry, step, podVolumes, view, signal);
      case 'await':
        if (view.ending === undefined) {
          await report(pod, 'Running', { reason: 'PodInitializing', message: undefined }, view, signal);
          return soonest(step.checkAfterMs, await podVolumes?.refresh(signal));
        }
        return soonest(step.checkAfterMs);
      case 'terminate':
        signalAll(entry, 'SIGTERM');
        entry.isSignalled = true;
        return undefined;
      case 'kill':
        signalAll(entry, 'SIGKILL');
        return { kind: 'again', afterMs: killCheckMs };
      case 'finish':
        await report(pod, step.phase, { reason: 'PodInitializing', message: undefined }, view, signal);
        return done;
      case 'awaitUnmount':
        // The volume manager says when the last one is gone.
        return done;
      case 'remove':
        if (seen !== undefined) {
          await report(seen, endPhase(view), { reason: 'ContainerCreating', message: undefined }, view, signal);
        }
        await runtime.remove(uid);
        deps.content.forget(uid);
        forgetErrors(uid);
        await removePodFolders(deps.paths, uid);
        if (seen !== undefined) {
          await statuses.remove(seen, signal);
        }
        await local.forget(uid);
        await removePodDir(deps.paths, uid);
        return done;
      default:
        return step satisfies never;
    }
  }

  /** CSI volumes come by themselves; what this kubelet writes is written here. */
  async function awaitVolumes(
    pod: Pod | undefined,
    podVolumes: PodVolumes | undefined,
    view: PodView,
    signal: AbortSignal,
  ): Promise<Outcome | undefined> {
    const { isAnyMade = false, failures = [] } = (await podVolumes?.prepare(signal)) ?? {};
    if (isAnyMade) {
      return undefined;
    }
    for (const { name, message } of failures) {
      const key = `${pod?.metadata.uid ?? ''}/volumes/${name}`;
      if (pod !== undefined && lastErrors.get(key) !== message) {
        lastErrors.set(key, message);
        tell(pod, 'Warning', reasons.failedMount, `MountVolume.SetUp failed for volume "${name}" : ${message}`);
      }
    }
    const obstacles = [podVolumes?.obstacle ?? [], failures.map(({ name, message }) => `volume "${name}": ${message}`)];
    const message = [...new Set(obstacles.flat())].join('; ');
    const waiting = { reason: 'ContainerCreating', message: message === '' ? undefined : message };
    await report(pod, 'Running', waiting, view, signal);
    return { kind: 'again', afterMs: volumeRecheckMs };
  }

  async function startContainer(
    entry: LocalPod,
    step: { readonly container: string; readonly restarts: number },
    podVolumes: PodVolumes | undefined,
    view: PodView,
    signal: AbortSignal,
  ): Promise<Outcome | undefined> {
    const { pod } = entry;
    const all = [...(pod?.spec?.initContainers ?? []), ...(pod?.spec?.containers ?? [])];
    const container = all.find(({ name }) => name === step.container);
    if (pod === undefined || container === undefined || podVolumes === undefined) {
      return done;
    }
    const key = `${pod.metadata.uid}/${container.name}`;
    try {
      await podVolumes.makeEmptyDirs();
      await runtime.start(containerSpec(pod, container, podVolumes.sources, step.restarts));
      lastErrors.delete(key);
    } catch (error) {
      const message = errorMessage(error);
      if (lastErrors.get(key) !== message) {
        lastErrors.set(key, message);
        tell(pod, 'Warning', reasons.failed, `Error: ${message}`);
      }
      const reason = error instanceof ContainerSpecError ? 'CreateContainerConfigError' : 'RunContainerError';
      await report(pod, 'Running', { reason, message }, view, signal);
      if (error instanceof ContainerSpecError) {
        return done;
      }
      throw error;
    }
    if (step.restarts === 0) {
      tell(pod, 'Normal', reasons.imageNotPulled, `Container ${container.name}: ${imageNotPulledMessage}`);
    }
    tell(pod, 'Normal', reasons.started, `Started container ${container.name}`);
    return undefined;
  }

  function viewOf(entry: LocalPod, seen: Pod | undefined, podVolumes: PodVolumes | undefined): PodView {
    const nowMs = clock.nowMs();
    const { pod, uid } = entry;
    const state = (name: string) => ({ name, state: runtime.state(uid, name) });
    const isEnding = seen === undefined || seen.metadata.deletionTimestamp !== undefined;
    if (isEnding) {
      entry.endingSinceMs ??= nowMs;
    }
    // A pod known only by its folder is ended by what the runtime knows of it.
    const containers = pod?.spec?.containers.map(({ name }) => name) ?? runtime.containersOf(uid);
    return {
      ending: isEnding
        ? { sinceMs: entry.endingSinceMs ?? nowMs, graceMs: graceMs(seen), isSignalled: entry.isSignalled }
        : undefined,
      restartPolicy: restartPolicy(pod),
      initContainers: (pod?.spec?.initContainers ?? []).map(({ name }) => state(name)),
      containers: containers.map(state),
      areVolumesReady: podVolumes?.areReady ?? true,
      hasMounts: volumes.hasMounts(uid),
      nowMs,
    };
  }

  function demandVolumes({ uid }: LocalPod, podVolumes: PodVolumes | undefined, view: PodView, step: PodStep): void {
    const isOver = step.kind === 'finish' || step.kind === 'awaitUnmount' || step.kind === 'remove';
    const isRunning = [...view.initContainers, ...view.containers].some(({ state }) => state.kind === 'running');
    volumes.demand(uid, isOver ? [] : (podVolumes?.demands ?? []), !isOver && isRunning);
  }

  function forgetErrors(uid: string): void {
    for (const key of [...lastErrors.keys()].filter((candidate) => candidate.startsWith(`${uid}/`))) {
      lastErrors.delete(key);
    }
  }

  function seenPod(uid: string): Pod | undefined {
    return caches.pods.list().find((pod) => pod.metadata.uid === uid);
  }

  function signalAll({ uid, pod }: LocalPod, signalName: 'SIGTERM' | 'SIGKILL'): void {
    for (const name of runtime.containersOf(uid)) {
      if (runtime.state(uid, name).kind === 'running') {
        runtime.signal(uid, name, signalName);
        if (pod !== undefined && signalName === 'SIGTERM') {
          tell(pod, 'Normal', reasons.killing, `Stopping container ${name}`);
        }
      }
    }
  }

  async function report(
    pod: Pod | undefined,
    phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed',
    waiting: { readonly reason: string; readonly message: string | undefined },
    view: PodView,
    signal: AbortSignal,
  ): Promise<void> {
    if (pod === undefined) {
      return;
    }
    const seen = caches.pods.get(`${pod.metadata.namespace ?? ''}/${pod.metadata.name}`) ?? pod;
    const isStarted = view.containers.some(({ state }) => state.kind !== 'none');
    const shown = phase === 'Running' && !isStarted ? 'Pending' : phase;
    await statuses.write(seen, podStatus({ ...view, pod: seen, phase: shown, waiting }), signal);
  }

  function tell({ metadata }: Pod, type: 'Normal' | 'Warning', reason: string, message: string): void {
    deps.recorder.event({ kind: 'Pod', apiVersion: 'v1', metadata }, type, reason, message);
  }

  return {
    enqueue: (uid) => queue.add(uid),
    demandVolumesOfAll: () => {
      for (const entry of local.uids().flatMap((uid) => local.get(uid) ?? [])) {
        const seen = seenPod(entry.uid);
        entry.pod = seen ?? entry.pod;
        const podVolumes = entry.pod === undefined ? undefined : readPodVolumes(deps, entry.pod);
        const view = viewOf(entry, seen, podVolumes);
        demandVolumes(entry, podVolumes, view, decidePod(view));
      }
    },
    endAll: () => {
      isEndingAll = true;
      local.uids().forEach((uid) => queue.add(uid));
    },
    run: (signal) => runController({ name: 'pods', queue, workers, reconcile, log: deps.log, signal }),
  };
}

function soonest(...waitsMs: readonly (number | undefined)[]): Outcome {
  const known = waitsMs.filter((waitMs) => waitMs !== undefined);
  return known.length === 0 ? done : { kind: 'again', afterMs: Math.min(...known) };
}

function graceMs(seen: Pod | undefined): number {
  if (seen === undefined) {
    return orphanGraceMs;
  }
  const asked = seen.metadata.deletionGracePeriodSeconds ?? seen.spec?.terminationGracePeriodSeconds;
  return (asked ?? defaultGraceSeconds) * 1_000;
}

function restartPolicy(pod: Pod | undefined): PodView['restartPolicy'] {
  const policy = pod?.spec?.restartPolicy;
  return policy === 'Never' || policy === 'OnFailure' ? policy : 'Always';
}

function endPhase(view: PodView): 'Succeeded' | 'Failed' {
  return view.containers.every(({ state }) => state.kind === 'exited' && state.exitCode === 0) ? 'Succeeded' : 'Failed';
}

function isFinal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}
