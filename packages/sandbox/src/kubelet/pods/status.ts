import type { Pod } from '@holdfast/kube';
import { imageNotPulled, imageNotPulledMessage } from '../names.ts';
import type { ContainerView } from './decide.ts';

export interface StatusView {
  readonly pod: Pod;
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  readonly initContainers: readonly ContainerView[];
  readonly containers: readonly ContainerView[];
  /** Why a container that has not started waits. */
  readonly waiting: { readonly reason: string; readonly message: string | undefined };
  readonly nowMs: number;
}

type PodStatus = NonNullable<Pod['status']>;
type Condition = NonNullable<PodStatus['conditions']>[number];

/** What `kubectl get pod` shows. Without qosClass: the API server computes it, and lets nobody change it. */
export function podStatus(view: StatusView): PodStatus {
  const { pod, phase } = view;
  const isInitialized = view.initContainers.every(({ state }) => state.kind === 'exited' && state.exitCode === 0);
  const isReady = phase === 'Running' && view.containers.every(({ state }) => state.kind === 'running');
  const now = new Date(view.nowMs).toISOString();
  const done = phase === 'Succeeded' ? 'PodCompleted' : 'ContainersNotReady';
  const ours = [
    condition(pod, 'PodScheduled', true, undefined, now),
    condition(pod, 'Initialized', isInitialized, 'ContainersNotInitialized', now),
    condition(pod, 'ContainersReady', isReady, done, now),
    condition(pod, 'Ready', isReady, done, now),
  ];
  // Others' stay, such as DisruptionTarget.
  const others = pod.status?.conditions?.filter(({ type }) => ours.every((one) => one.type !== type)) ?? [];
  const conditions = [...ours, ...others];
  return {
    phase,
    message: imageNotPulledMessage,
    conditions,
    hostIP: '127.0.0.1',
    podIP: '127.0.0.1',
    podIPs: [{ ip: '127.0.0.1' }],
    hostIPs: [{ ip: '127.0.0.1' }],
    startTime: pod.status?.startTime ?? now,
    ...(view.initContainers.length === 0
      ? {}
      : { initContainerStatuses: statuses(view.initContainers, pod.spec?.initContainers ?? [], view.waiting) }),
    containerStatuses: statuses(view.containers, pod.spec?.containers ?? [], view.waiting),
  };
}

function statuses(
  views: readonly ContainerView[],
  specs: readonly { readonly name: string; readonly image?: string }[],
  waiting: StatusView['waiting'],
): NonNullable<PodStatus['containerStatuses']> {
  return views.map(({ name, state }) => ({
    name,
    image: specs.find((spec) => spec.name === name)?.image ?? '',
    imageID: imageNotPulled,
    ready: state.kind === 'running',
    started: state.kind === 'running',
    restartCount: state.kind === 'none' ? 0 : state.restarts,
    ...(state.kind === 'none' ? {} : { containerID: `holdfast-sandbox://${state.id}` }),
    state: containerState(state, waiting),
  }));
}

function containerState(state: ContainerView['state'], waiting: StatusView['waiting']) {
  switch (state.kind) {
    case 'none': {
      const { reason, message } = waiting;
      return { waiting: message === undefined ? { reason } : { reason, message } };
    }
    case 'running':
      return { running: { startedAt: new Date(state.startedAtMs).toISOString() } };
    case 'exited':
      return {
        terminated: {
          exitCode: state.exitCode,
          reason: state.exitCode === 0 ? 'Completed' : 'Error',
          containerID: `holdfast-sandbox://${state.id}`,
          startedAt: new Date(state.startedAtMs).toISOString(),
          finishedAt: new Date(state.finishedAtMs).toISOString(),
        },
      };
    default:
      return state satisfies never;
  }
}

function condition(pod: Pod, type: string, isTrue: boolean, reason: string | undefined, now: string): Condition {
  const status = isTrue ? 'True' : 'False';
  const present = pod.status?.conditions?.find((known) => known.type === type);
  const lastTransitionTime = present?.status === status ? (present.lastTransitionTime ?? now) : now;
  return { type, status, lastTransitionTime, ...(isTrue || reason === undefined ? {} : { reason }) };
}
