import { type Outcome, readSecret, SecretError, tellIfSlow } from '@holdfast/control';
import { type Clock, formatBytes, type Logger } from '@holdfast/core';
import { AccessModeError } from '@holdfast/csi-spec';
import {
  isNotFound,
  type KubeClient,
  objectKey,
  type PersistentVolume,
  type PersistentVolumeClaim,
} from '@holdfast/kube';
import { rpcErrorText } from '@holdfast/rpc';
import type { ClaimEvents } from './claim-events.ts';
import type { ClaimMemory } from './claim-memory.ts';
import { failedPatch, finishedPatch, nodePendingPatch, startPatch } from './claim-patches.ts';
import type { ClaimWriter } from './claim-writer.ts';
import type { CsiCalls, ExpandResult } from './csi-calls.ts';
import type { ClaimFacts, ClaimStep, Expansion, ResizeRules } from './decide.ts';
import type { PodUsage } from './pod-usage.ts';
import { clearPreResizeCapacityPatch, grownPatch } from './volume-patches.ts';
import type { PatchVolume } from './volume-writer.ts';

export interface ClaimStepsDeps {
  readonly client: KubeClient;
  readonly calls: CsiCalls;
  /** A driver that expands on the node alone is not called. */
  readonly isNodeOnly: boolean;
  readonly writer: ClaimWriter;
  readonly patchVolume: PatchVolume;
  readonly events: ClaimEvents;
  readonly memory: ClaimMemory<ClaimFacts>;
  readonly pods: PodUsage;
  readonly rules: ResizeRules;
  /** How long a size that the driver called impossible is left alone (`--retry-interval-max`). */
  readonly infeasibleRestMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

export type ClaimSteps = (key: string, step: ClaimStep, signal: AbortSignal) => Promise<Outcome>;

const done: Outcome = { kind: 'done' };

/** Carries out one step for the claim of a key (`namespace/name`). What a step throws is a retry. */
export function createClaimSteps(deps: ClaimStepsDeps): ClaimSteps {
  const { client, calls, isNodeOnly, writer, patchVolume, events, memory, pods, rules, clock, log } = deps;

  async function expand(step: Expansion, signal: AbortSignal): Promise<Outcome> {
    try {
      return await expandAndRecord(step, signal);
    } catch (error) {
      if (error instanceof AccessModeError) return refuse(step.claim, error.message);
      if (error instanceof SecretError) events.failed(step.claim, error.message);
      // Claim or volume went away under our hands; its deletion is an event of its own.
      if (isNotFound(error)) return done;
      throw error;
    }
  }

  async function expandAndRecord(step: Expansion, signal: AbortSignal): Promise<Outcome> {
    const { volume, target, isMigrated } = step;
    // Read before anything is announced: without it there is no call to make.
    const secrets = isNodeOnly ? {} : await secretsOf(volume, signal);
    const start = startPatch(step.claim, { target, isNewTarget: step.isNewTarget, nowMs: clock.nowMs() });
    const claim = start ? await writer.patchStatus(step.claim, start, signal) : step.claim;

    const result: ExpandResult = isNodeOnly
      ? { kind: 'expanded', sizeBytes: target.bytes, isNodeExpansionRequired: true }
      : await tellIfSlow(
          clock,
          () => events.resizing(claim, volume),
          () => calls.expandVolume(volume, { requiredBytes: target.bytes, secrets, isMigrated }, signal),
        );
    switch (result.kind) {
      case 'expanded':
        return await recordSuccess(claim, volume, result, signal);
      case 'wrongReply':
        memory.set(claim, { hasFinalError: true });
        return await recordFailure(claim, result.message, false, signal);
      case 'failed': {
        const { isFinal, isInfeasible, isInUse } = result.verdict;
        const message = rpcErrorText(result.error);
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

  async function secretsOf(volume: PersistentVolume, signal: AbortSignal): Promise<Record<string, string>> {
    const namedBy = `csi.controllerExpandSecretRef of PersistentVolume "${volume.metadata.name}"`;
    return await readSecret(client, volume.spec?.csi?.controllerExpandSecretRef, { namedBy, signal });
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
    const isPreviousKept = rules.isPreResizeCapacityKept && grown.isNodeExpansionRequired;
    const patch = grownPatch(volume, { sizeBytes: grown.sizeBytes, previousSize, isPreviousKept });
    await patchVolume(volume, patch, signal);
    const build = grown.isNodeExpansionRequired
      ? (current: PersistentVolumeClaim) => nodePendingPatch(current, clock.nowMs())
      : (current: PersistentVolumeClaim) => finishedPatch(current, formatBytes(grown.sizeBytes));
    const written = await writer.recordStatus(claim, { build, isSame: isSameExpansion }, signal);
    memory.forget(objectKey(claim));
    if (grown.isNodeExpansionRequired) events.fileSystemResizeRequired(written);
    else events.succeeded(written);
    log.info('Volume expanded', {
      volume: volume.metadata.name,
      size: formatBytes(grown.sizeBytes),
      isNodeExpansionRequired: grown.isNodeExpansionRequired,
    });
    return done;
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
    return { kind: 'again', afterMs: deps.infeasibleRestMs, error: new Error(message) };
  }

  function refuse(claim: PersistentVolumeClaim, reason: string): Outcome {
    events.failed(claim, reason);
    return { kind: 'giveUp', error: new Error(reason) };
  }

  return async (key, step, signal) => {
    log.debug(4, 'Next step of the claim', { claim: key, step: step.kind, reason: step.reason });
    switch (step.kind) {
      case 'ignore':
      case 'awaitNode':
        return done;
      case 'forget':
        memory.forget(key);
        events.forget(key);
        return done;
      case 'refuse':
        return refuse(step.claim, step.reason);
      case 'awaitRelease':
        events.failed(step.claim, step.reason);
        log.info('Waiting until no pod uses the volume', { claim: key, reason: step.reason });
        return done;
      case 'delay':
        return { kind: 'again', afterMs: step.afterMs };
      case 'clearPreResizeCapacity':
        await patchVolume(step.volume, clearPreResizeCapacityPatch(step.volume), signal);
        return { kind: 'again', afterMs: 0 };
      case 'expand':
        return await expand(step, signal);
      default:
        return step satisfies never;
    }
  };
}

function isSameExpansion({ status: a }: PersistentVolumeClaim, { status: b }: PersistentVolumeClaim): boolean {
  return (
    a?.allocatedResources?.storage === b?.allocatedResources?.storage &&
    a?.allocatedResourceStatuses?.storage === b?.allocatedResourceStatuses?.storage
  );
}
