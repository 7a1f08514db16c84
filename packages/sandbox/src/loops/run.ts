import { createEventRecorder } from '@holdfast/control';
import type { Clock, Logger } from '@holdfast/core';
import type { KubeClient } from '@holdfast/kube';
import { createAttachLoop } from './attaching/loop.ts';
import { createClaimLoop } from './binding/claim-loop.ts';
import { createVolumeLoop } from './binding/volume-loop.ts';
import { createCaches } from './caches.ts';
import { createEvictionLoop } from './eviction/loop.ts';
import { createExpansionLoop } from './expansion/loop.ts';
import { createGarbageLoop } from './garbage/loop.ts';
import type { Loop, LoopDeps } from './loop.ts';
import { components } from './names.ts';
import { createNamespaceLoop } from './namespaces/loop.ts';
import { createNodeLifecycleLoop } from './nodes/loop.ts';
import { defaultPeriods, type LoopPeriods } from './periods.ts';
import { createPodGcLoop } from './pod-gc/loop.ts';
import { createClaimProtectionLoop, createVolumeProtectionLoop } from './protection/loops.ts';
import { createSchedulingLoop } from './scheduling/loop.ts';
import { createServiceAccountLoop } from './service-accounts/loop.ts';

export interface RunLoopsDeps {
  readonly client: KubeClient;
  readonly log: Logger;
  /** Where they differ from kube-controller-manager's. */
  readonly periods?: Partial<LoopPeriods>;
  readonly clock?: Clock;
  readonly signal: AbortSignal;
}

type CreateLoop = (deps: LoopDeps) => Loop;

const loops: readonly { readonly component: string; readonly create: CreateLoop }[] = [
  { component: components.volumeBinder, create: createClaimLoop },
  { component: components.volumeBinder, create: createVolumeLoop },
  { component: 'pvc-protection-controller', create: createClaimProtectionLoop },
  { component: 'pv-protection-controller', create: createVolumeProtectionLoop },
  { component: components.attachDetach, create: createAttachLoop },
  { component: components.nodeLifecycle, create: createNodeLifecycleLoop },
  { component: components.taintEviction, create: createEvictionLoop },
  { component: components.podGc, create: createPodGcLoop },
  { component: components.garbageCollector, create: createGarbageLoop },
  { component: components.expander, create: createExpansionLoop },
  { component: components.scheduler, create: createSchedulingLoop },
  { component: 'namespace-controller', create: createNamespaceLoop },
  { component: 'service-account-controller', create: createServiceAccountLoop },
];

/**
 * Runs the control loops that a cluster itself runs for storage, until `signal` aborts; returns when all have drained.
 */
export async function runLoops(deps: RunLoopsDeps): Promise<void> {
  const { signal } = deps;
  const periods = { ...defaultPeriods, ...deps.periods };
  const { caches, synced, run } = createCaches(deps);
  const recorders = new Map(
    loops.map(({ component }) => [component, createEventRecorder({ ...deps, component })] as const),
  );
  const running = run(signal);
  await Promise.race([synced, running]);
  if (signal.aborted) {
    await running;
    return;
  }
  const started = loops.flatMap(({ component, create }) => {
    const recorder = recorders.get(component);
    return recorder === undefined ? [] : [create({ ...deps, periods, caches, recorder }).run(signal)];
  });
  await Promise.all([running, ...started]);
  await Promise.all([...recorders.values()].map((recorder) => recorder.stop()));
}
