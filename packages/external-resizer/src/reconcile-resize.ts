import type { EventRecorder } from '@holdfast/control';
import type { Clock, Logger } from '@holdfast/core';
import type { KubeClient, PersistentVolumeClaim } from '@holdfast/kube';
import { createClaimEvents } from './claim-events.ts';
import { createClaimMemory } from './claim-memory.ts';
import type { ClaimWriter } from './claim-writer.ts';
import type { CsiCalls } from './csi-calls.ts';
import { type ClaimStep, decideClaim, NOTHING_KNOWN_OF_RESIZE, type ResizeRules } from './decide.ts';
import type { DriverTraits } from './driver-traits.ts';
import { createPodUsage } from './pod-usage.ts';
import type { Reconcile } from './reconcile.ts';
import { createClaimSteps } from './steps.ts';
import type { Caches } from './stores.ts';
import type { PatchVolume } from './volume-writer.ts';

/** Looks at one claim (`namespace/name`) and does the next step towards the size that it asks for. */
export function createResizeReconcile(deps: {
  client: KubeClient;
  calls: CsiCalls;
  caches: Caches;
  driver: DriverTraits;
  rules: ResizeRules;
  recorder: EventRecorder;
  writer: ClaimWriter;
  patchVolume: PatchVolume;
  retryIntervalMaxMs: number;
  isInUseHandled: boolean;
  /** The last pod that used a claim (`namespace/name`) may have gone. */
  onReleased: (key: string) => void;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}): Reconcile<ClaimStep> {
  const { client, calls, caches, driver, rules, recorder, writer, patchVolume, clock, log } = deps;
  const { claims, volumes } = caches.stores;
  const { driverName, isNodeOnly } = driver;
  const memory = createClaimMemory(NOTHING_KNOWN_OF_RESIZE);
  const pods = createPodUsage({
    client,
    isEnabled: deps.isInUseHandled,
    onReleased: deps.onReleased,
    log,
    clock,
    signal: deps.signal,
  });
  const steps = createClaimSteps({
    client,
    calls,
    isNodeOnly,
    writer,
    patchVolume,
    events: createClaimEvents({ recorder, driverName, clock }),
    memory,
    pods,
    rules,
    infeasibleRestMs: deps.retryIntervalMaxMs,
    clock,
    log,
  });
  function decide(claim: PersistentVolumeClaim | undefined): ClaimStep {
    const view = {
      claim,
      volume: volumes.get(claim?.spec?.volumeName ?? ''),
      facts: memory.facts(claim),
      usingPod: claim ? pods.podUsing(claim) : undefined,
      nowMs: clock.monotonicMs(),
    };
    return decideClaim(view, { driver, rules });
  }
  return { decide, reconcile: (key, signal) => steps(key, decide(claims.get(key)), signal) };
}
