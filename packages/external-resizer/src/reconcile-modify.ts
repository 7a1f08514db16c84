import { type EventRecorder, readLive } from '@holdfast/control';
import type { Clock, Logger } from '@holdfast/core';
import { type KubeClient, type PersistentVolumeClaim, volumeAttributesClasses } from '@holdfast/kube';
import { createClaimMemory } from './claim-memory.ts';
import type { ClaimWriter } from './claim-writer.ts';
import type { CsiCalls } from './csi-calls.ts';
import { decideModify, type ModifyStep, NOTHING_KNOWN_OF_MODIFY } from './decide-modify.ts';
import type { DriverTraits } from './driver-traits.ts';
import { createModifyEvents } from './modify-events.ts';
import type { Reconcile } from './reconcile.ts';
import { createModifySteps } from './steps-modify.ts';
import type { Caches } from './stores.ts';
import type { PatchVolume } from './volume-writer.ts';

/** Looks at one claim (`namespace/name`) and does the next step towards the class that it asks for. */
export function createModifyReconcile(deps: {
  client: KubeClient;
  calls: CsiCalls;
  caches: Caches;
  driver: DriverTraits;
  recorder: EventRecorder;
  writer: ClaimWriter;
  patchVolume: PatchVolume;
  retryIntervalMaxMs: number;
  hasExtraMetadata: boolean;
  clock: Clock;
  log: Logger;
}): Reconcile<ModifyStep> {
  const { client, calls, caches, driver, recorder, writer, patchVolume, hasExtraMetadata, clock, log } = deps;
  const { claims, volumes, classes } = caches.stores;
  const memory = createClaimMemory(NOTHING_KNOWN_OF_MODIFY);
  const steps = createModifySteps({
    client,
    calls,
    writer,
    patchVolume,
    events: createModifyEvents({ recorder, clock }),
    memory,
    hasExtraMetadata,
    infeasibleRestMs: deps.retryIntervalMaxMs,
    clock,
    log,
  });
  function decide(claim: PersistentVolumeClaim | undefined): ModifyStep {
    return decideModify(
      {
        claim,
        volume: volumes.get(claim?.spec?.volumeName ?? ''),
        facts: memory.facts(claim),
        classOf: (name) => classes.get(name),
        nowMs: clock.monotonicMs(),
      },
      driver.driverName,
    );
  }

  return {
    decide,
    async reconcile(key, signal) {
      const claim = claims.get(key);
      let step = decide(claim);
      // A class and its claim often come together, over two watches: nobody shall be told that what is there is missing.
      if (step.kind === 'awaitClass' && step.isNewlyPending && !classes.get(step.className)) {
        const from = { client, resource: volumeAttributesClasses, store: classes };
        await readLive(from, { name: step.className }, signal);
        step = decide(claim);
      }
      return await steps(key, step, signal);
    },
  };
}
