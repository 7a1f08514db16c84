import type { ContainerState } from './runtime.ts';

export interface ContainerView {
  readonly name: string;
  readonly state: ContainerState;
}

export interface PodView {
  /** Why the pod has to end; undefined while it may run. */
  readonly ending: { readonly sinceMs: number; readonly graceMs: number; readonly isSignalled: boolean } | undefined;
  readonly restartPolicy: 'Always' | 'OnFailure' | 'Never';
  /** Run one after the other, each to its end, before the others start. */
  readonly initContainers: readonly ContainerView[];
  readonly containers: readonly ContainerView[];
  readonly areVolumesReady: boolean;
  readonly hasMounts: boolean;
  readonly nowMs: number;
}

export type PodStep =
  | { readonly kind: 'awaitVolumes' }
  | { readonly kind: 'start'; readonly container: string; readonly restarts: number }
  /** `checkAfterMs` is absent when only an event can change anything. */
  | { readonly kind: 'await'; readonly checkAfterMs: number | undefined }
  | { readonly kind: 'terminate' }
  | { readonly kind: 'kill' }
  | { readonly kind: 'finish'; readonly phase: 'Succeeded' | 'Failed' }
  | { readonly kind: 'awaitUnmount' }
  | { readonly kind: 'remove' };

const firstBackOffMs = 1_000;
const longestBackOffMs = 10_000;

/** The next step in a pod's life. */
export function decidePod(view: PodView): PodStep {
  if (view.ending !== undefined) {
    return decideEnding(view, view.ending);
  }
  const result = resultOf(view);
  if (result !== undefined) {
    return { kind: 'finish', phase: result };
  }
  const step = decideRunning(view);
  // What runs already has its volumes, whatever has become of its claims.
  return step.kind === 'start' && !view.areVolumesReady ? { kind: 'awaitVolumes' } : step;
}

function decideRunning(view: PodView): PodStep {
  const init = view.initContainers.find(({ state }) => !isSucceeded(state));
  if (init !== undefined) {
    const policy = view.restartPolicy === 'Always' ? 'OnFailure' : view.restartPolicy;
    return startOrAwait([init], policy, view.nowMs);
  }
  return startOrAwait(view.containers, view.restartPolicy, view.nowMs);
}

/** How the pod ended by itself; undefined while something runs or will be started again. */
export function resultOf({ initContainers, containers, restartPolicy }: PodView): 'Succeeded' | 'Failed' | undefined {
  const failedInit = initContainers.find(({ state }) => state.kind === 'exited' && state.exitCode !== 0);
  if (failedInit !== undefined) {
    return restartPolicy === 'Never' ? 'Failed' : undefined;
  }
  const isOver = containers.every(
    ({ state }) => state.kind === 'exited' && !isRestarted(state.exitCode, restartPolicy),
  );
  if (!isOver) {
    return undefined;
  }
  return containers.every(({ state }) => isSucceeded(state)) ? 'Succeeded' : 'Failed';
}

/**
 * As kubelet does, at once the first time and after a run of twice the longest wait; only that its waits of 10 s to 5 min
 * are 1 s to 10 s here, where somebody watches.
 */
export function restartDelayMs(restarts: number, ranMs: number): number {
  return restarts === 0 || ranMs >= 2 * longestBackOffMs
    ? 0
    : Math.min(firstBackOffMs * 2 ** (restarts - 1), longestBackOffMs);
}

function decideEnding(view: PodView, { sinceMs, graceMs, isSignalled }: NonNullable<PodView['ending']>): PodStep {
  const isRunning = [...view.initContainers, ...view.containers].some(({ state }) => state.kind === 'running');
  if (!isRunning) {
    return view.hasMounts ? { kind: 'awaitUnmount' } : { kind: 'remove' };
  }
  const leftMs = sinceMs + graceMs - view.nowMs;
  if (leftMs <= 0) {
    return { kind: 'kill' };
  }
  return isSignalled ? { kind: 'await', checkAfterMs: leftMs } : { kind: 'terminate' };
}

function startOrAwait(containers: readonly ContainerView[], policy: PodView['restartPolicy'], nowMs: number): PodStep {
  let checkAfterMs: number | undefined;
  for (const { name, state } of containers) {
    if (state.kind === 'none') {
      return { kind: 'start', container: name, restarts: 0 };
    }
    if (state.kind === 'exited' && isRestarted(state.exitCode, policy)) {
      const ranMs = state.finishedAtMs - state.startedAtMs;
      const leftMs = state.finishedAtMs + restartDelayMs(state.restarts, ranMs) - nowMs;
      if (leftMs <= 0) {
        return { kind: 'start', container: name, restarts: state.restarts + 1 };
      }
      checkAfterMs = Math.min(checkAfterMs ?? leftMs, leftMs);
    }
  }
  return { kind: 'await', checkAfterMs };
}

function isRestarted(exitCode: number, policy: PodView['restartPolicy']): boolean {
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

function isSucceeded(state: ContainerState): boolean {
  return state.kind === 'exited' && state.exitCode === 0;
}
