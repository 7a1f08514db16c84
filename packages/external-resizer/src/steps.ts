import type { Outcome, Store } from '@holdfast/control';
import { type Clock, errorMessage, formatBytes, type Logger } from '@holdfast/core';
import { AccessModeError } from '@holdfast/csi-spec';
import {
  isNotFound,
  type KubeClient,
  objectKey,
  type Patch,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumes,
} from '@holdfast/kube';
import type { ClaimEvents } from './claim-events.ts';
import type { Memory } from './claim-memory.ts';
import { failedPatch, finishedPatch, nodePendingPatch, startPatch } from './claim-patches.ts';
import type { ClaimWriter } from './claim-writer.ts';
import { type CsiCalls, describe, type ExpandResult } from './csi-calls.ts';
import type { ExpandStep, Step } from './decide.ts';
import { MissingSecretError, readExpandSecrets } from './expand-secrets.ts';
import type { PodUsage } from './pod-usage.ts';
import { clearPreResizeCapacityPatch, grownPatch } from './volume-patches.ts';

export interface StepDeps {
  readonly client: KubeClient;
  /** None for a driver that expands on the node alone. */
  readonly calls: CsiCalls | undefined;
  readonly volumes: Store<PersistentVolume>;
  readonly writer: ClaimWriter;
  readonly events: ClaimEvents;
  readonly memory: Memory;
  readonly pods: PodUsage;
  /** How long a size that the driver called impossible is left alone (`--retry-interval-max`). */
  readonly infeasibleRestMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Carries one step out. */
export function createSteps(deps: StepDeps): (key: string, step: Step, signal: AbortSignal) => Promise<Outcome> {
  const { client, calls, volumes, writer, events, memory, pods, clock, log } = deps;

  async function patchVolume(volume: PersistentVolume, patch: Patch | undefined, signal: AbortSignal): Promise<void> {
    if (patch === undefined) return;
    volumes.applyWrite(await client.patch(persistentVolumes, { name: volume.metadata.name }, patch, { signal }));
  }

  async function expand(step: ExpandStep, signal: AbortSignal): Promise<Outcome> {
    const { volume, target } = step;
    // Read before anything is announced: without it there is no call to make.
    const secrets = calls ? await readExpandSecrets(client, volume, signal) : {};
    const start = startPatch(step.claim, { target, isNewTarget: step.isNewTarget, nowMs: clock.nowMs() });
    const claim = start ? await writer.patchStatus(step.claim, start, signal) : step.claim;

    const result: ExpandResult = calls
      ? await announced(claim, volume, () => calls.expandVolume(volume, target.bytes, secrets, signal))
      : { kind: 'expanded', sizeBytes: target.bytes, isNodeExpansionRequired: true };
    switch (result.kind) {
      case 'expanded':
        return await recordSuccess(claim, volume, result, signal);
      case 'wrongReply':
        memory.set(claim, { hasFinalError: true });
        return await recordFailure(claim, result.message, false, signal);
      case 'failed': {
        const { isFinal, isInfeasible, isInUse } = result.verdict;
        const message = describe(result.error);
        // Cut off by our own end, which is nothing to tell a user.
        if (signal.aborted && !isFinal) return { kind: 'retry', error: result.error };
        memory.set(claim, { hasFinalError: isFinal });
        if (isInUse) rememberInUse(claim);
        if (isFinal) return await recordFailure(claim, message, isInfeasible, signal);
        events.failed(claim, message);
        return { kind: 'retry', error: new Error(message) };
      }
      default:
        return result satisfies never;
    }
  }

  async function announced<T>(
    claim: PersistentVolumeClaim,
    volume: PersistentVolume,
    call: () => Promise<T>,
  ): Promise<T> {
    const stopWaiting = events.resizing(claim, volume);
    try {
      return await call();
    } finally {
      stopWaiting();
    }
  }

  function rememberInUse(claim: PersistentVolumeClaim): void {
    memory.set(claim, { isRefusedInUse: true });
    pods.start();
  }

  async function recordSuccess(
    claim: PersistentVolumeClaim,
    volume: PersistentVolume,
    grown: { sizeBytes: bigint; isNodeExpansionRequired: boolean },
    signal: AbortSignal,
  ): Promise<Outcome> {
    const previousSize = claim.status?.capacity?.storage ?? '0';
    await patchVolume(volume, grownPatch(volume, { ...grown, previousSize }), signal);
    const build = grown.isNodeExpansionRequired
      ? (current: PersistentVolumeClaim) => nodePendingPatch(current, clock.nowMs())
      : (current: PersistentVolumeClaim) => finishedPatch(current, formatBytes(grown.sizeBytes));
    const written = await writer.recordStatus(claim, build, signal);
    memory.forget(objectKey(claim));
    if (grown.isNodeExpansionRequired) events.fileSystemResizeRequired(written);
    else events.succeeded(written);
    log.info('Volume expanded', {
      volume: volume.metadata.name,
      size: formatBytes(grown.sizeBytes),
      isNodeExpansionRequired: grown.isNodeExpansionRequired,
    });
    return { kind: 'done' };
  }

  async function recordFailure(
    claim: PersistentVolumeClaim,
    message: string,
    isInfeasible: boolean,
    signal: AbortSignal,
  ): Promise<Outcome> {
    events.failed(claim, message);
    if (isInfeasible) memory.set(claim, { restUntilMs: clock.monotonicMs() + deps.infeasibleRestMs });
    const patch = failedPatch(claim, { message, isInfeasible, nowMs: clock.nowMs() });
    if (patch) await writer.patchStatus(claim, patch, signal);
    if (!isInfeasible) return { kind: 'retry', error: new Error(message) };
    log.warn('The driver calls this size impossible', { claim: objectKey(claim), error: message });
    return { kind: 'again', afterMs: deps.infeasibleRestMs };
  }

  async function attempt(step: ExpandStep, signal: AbortSignal): Promise<Outcome> {
    try {
      return await expand(step, signal);
    } catch (error) {
      if (error instanceof AccessModeError) return refuse(step.claim, error.message);
      if (error instanceof MissingSecretError) events.failed(step.claim, error.message);
      // Claim or volume went away under our hands; its deletion is an event of its own.
      if (isNotFound(error)) return { kind: 'done' };
      throw error;
    }
  }

  function refuse(claim: PersistentVolumeClaim, message: string): Outcome {
    events.failed(claim, message);
    return { kind: 'giveUp', error: new Error(message) };
  }

  return async (key, step, signal) => {
    switch (step.kind) {
      case 'nothing':
        log.debug(4, 'Nothing to do', { claim: key, why: step.why });
        return { kind: 'done' };
      case 'forget':
        memory.forget(key);
        return { kind: 'done' };
      case 'wait':
        return { kind: 'again', afterMs: step.afterMs };
      case 'refuse':
        return refuse(step.claim, step.message);
      case 'blockedByPod': {
        const reason =
          `the driver only supports offline expansion and pod "${step.pod}" uses the volume; ` +
          'delete every pod that uses it, then the resize goes on';
        events.failed(step.claim, reason);
        return { kind: 'retry', error: new Error(reason) };
      }
      case 'clearPreResizeCapacity':
        await patchVolume(step.volume, clearPreResizeCapacityPatch(step.volume), signal);
        return { kind: 'again', afterMs: 0 };
      case 'expand':
        return await attempt(step, signal);
      default:
        return unreachable(step);
    }
  };
}

function unreachable(step: never): never {
  throw new Error(`unknown step: ${errorMessage(step)}`);
}
