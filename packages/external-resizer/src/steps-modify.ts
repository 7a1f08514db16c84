import { type Outcome, readSecret, SecretError, tellIfSlow } from '@holdfast/control';
import type { Clock, Logger } from '@holdfast/core';
import {
  isNotFound,
  type KubeClient,
  objectKey,
  type PersistentVolume,
  type PersistentVolumeClaim,
} from '@holdfast/kube';
import { type RpcError, rpcErrorText } from '@holdfast/rpc';
import type { ClaimMemory } from './claim-memory.ts';
import type { ClaimWriter } from './claim-writer.ts';
import type { CsiCalls, ModifyVerdict } from './csi-calls.ts';
import {
  type ClassWait,
  type Modification,
  type ModifyFacts,
  type ModifyStep,
  recordedClass,
  wantedClass,
} from './decide-modify.ts';
import type { ModifyEvents } from './modify-events.ts';
import {
  modifiedPatch,
  modifyCanceledPatch,
  modifyFailedPatch,
  modifyPendingPatch,
  modifyStartPatch,
} from './modify-patches.ts';
import { annotations, metadataParameters } from './names.ts';
import { classPatch } from './volume-patches.ts';
import type { PatchVolume } from './volume-writer.ts';

export interface ModifyStepsDeps {
  readonly client: KubeClient;
  readonly calls: CsiCalls;
  readonly writer: ClaimWriter;
  readonly patchVolume: PatchVolume;
  readonly events: ModifyEvents;
  readonly memory: ClaimMemory<ModifyFacts>;
  /** `--extra-modify-metadata`. */
  readonly hasExtraMetadata: boolean;
  /** How long a class that the driver called impossible is left alone (`--retry-interval-max`). */
  readonly infeasibleRestMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

export type ModifySteps = (key: string, step: ModifyStep, signal: AbortSignal) => Promise<Outcome>;

const done: Outcome = { kind: 'done' };
const atOnce: Outcome = { kind: 'again', afterMs: 0 };

/** Carries out one step towards a claim's VolumeAttributesClass. What a step throws is a retry. */
export function createModifySteps(deps: ModifyStepsDeps): ModifySteps {
  const { client, calls, writer, patchVolume, events, memory, infeasibleRestMs, clock, log } = deps;

  async function modify(step: Modification, signal: AbortSignal): Promise<Outcome> {
    const { volume, attributesClass } = step;
    const target = attributesClass.metadata.name;
    // Read before anything is announced: without it there is no call to make.
    const secrets = await readSecret(client, modifySecretRef(volume), {
      namedBy: `the secret for modifying PersistentVolume "${volume.metadata.name}"`,
      signal,
    });
    const claim = step.isNewTarget
      ? await writer.patchStatus(step.claim, modifyStartPatch(step.claim, target, clock.nowMs()), signal)
      : step.claim;
    // What was said of the class before counts for it alone.
    if (step.isNewTarget) memory.set(claim, { hasFinalError: false });

    const parameters = { ...attributesClass.parameters, ...(deps.hasExtraMetadata ? metadataOf(claim, volume) : {}) };
    const result = await tellIfSlow(
      clock,
      () => events.modifying(claim, target),
      () => calls.modifyVolume(volume, parameters, secrets, signal),
    );
    if (result.kind === 'modified') return await recordSuccess(claim, volume, target, signal);
    return await recordFailure(claim, result, signal);
  }

  /** The volume first: a claim that has its class is not looked at again. */
  async function recordSuccess(
    claim: PersistentVolumeClaim,
    volume: PersistentVolume,
    className: string,
    signal: AbortSignal,
  ): Promise<Outcome> {
    await patchVolume(volume, classPatch(volume, className), signal);
    const build = (current: PersistentVolumeClaim) => modifiedPatch(current, className);
    const written = await writer.recordStatus(claim, { build, isSame: isSameModification }, signal);
    memory.forget(objectKey(claim));
    events.succeeded(written, className);
    log.info('Volume modified', { volume: volume.metadata.name, class: className });
    return wantedClass(written) === className ? done : atOnce;
  }

  async function recordFailure(
    claim: PersistentVolumeClaim,
    { error, verdict }: { error: RpcError; verdict: ModifyVerdict },
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { isFinal, isInfeasible } = verdict;
    // Cut off by our own end, which is nothing to tell a user.
    if (signal.aborted && !isFinal) return { kind: 'retry', error };
    const restUntilMs = isInfeasible ? clock.monotonicMs() + infeasibleRestMs : Number.NEGATIVE_INFINITY;
    memory.set(claim, { hasFinalError: isFinal, restUntilMs });
    const outlook = isFinal ? '' : `. Still modifying to VAC ${recordedClass(claim)}`;
    const message = `${rpcErrorText(error)}${outlook}`;
    events.failed(claim, message);
    const failure = { code: error.code, message: error.message, isFinal, isInfeasible };
    const patch = modifyFailedPatch(claim, failure, clock.nowMs());
    const written = patch ? await writer.patchStatus(claim, patch, signal) : claim;
    // The user has chosen another class meanwhile, and now it counts.
    if (isFinal && wantedClass(written) !== '' && wantedClass(written) !== recordedClass(written)) return atOnce;
    if (!isInfeasible) return { kind: 'retry', error: new Error(message) };
    log.warn('The driver calls this class impossible', { claim: objectKey(claim), error: message });
    return { kind: 'again', afterMs: infeasibleRestMs, error: new Error(message) };
  }

  async function awaitClass(step: ClassWait, signal: AbortSignal): Promise<Outcome> {
    events.failed(step.claim, step.reason);
    if (step.isNewlyPending) await writer.patchStatus(step.claim, modifyPendingPatch(step.claim), signal);
    log.warn('Waiting for a VolumeAttributesClass', { claim: objectKey(step.claim), reason: step.reason });
    return done;
  }

  async function carryOut(key: string, step: ModifyStep, signal: AbortSignal): Promise<Outcome> {
    switch (step.kind) {
      case 'ignore':
        return done;
      case 'forget':
        memory.forget(key);
        events.forget(key);
        return done;
      case 'delay':
        return { kind: 'again', afterMs: step.afterMs };
      case 'cancel':
        await writer.patchStatus(step.claim, modifyCanceledPatch(step.claim), signal);
        memory.forget(key);
        events.canceled(step.claim);
        return done;
      case 'awaitClass':
        return await awaitClass(step, signal);
      case 'modify':
        try {
          return await modify(step, signal);
        } catch (error) {
          if (error instanceof SecretError) events.failed(step.claim, error.message);
          throw error;
        }
      default:
        return step satisfies never;
    }
  }

  return async (key, step, signal) => {
    log.debug(4, 'Next step for the class of the claim', { claim: key, step: step.kind, reason: step.reason });
    try {
      return await carryOut(key, step, signal);
    } catch (error) {
      // Claim or volume went away under our hands; its deletion is an event of its own.
      if (isNotFound(error)) return done;
      throw error;
    }
  };
}

function isSameModification(a: PersistentVolumeClaim, b: PersistentVolumeClaim): boolean {
  return (
    recordedClass(a) === recordedClass(b) &&
    a.status?.modifyVolumeStatus?.status === b.status?.modifyVolumeStatus?.status
  );
}

/** What the provisioner noted on the volume; else the secret for expansions, as upstream has it. */
function modifySecretRef({ metadata, spec }: PersistentVolume): { name?: string; namespace?: string } | undefined {
  const name = metadata.annotations?.[annotations.modifySecretName];
  const namespace = metadata.annotations?.[annotations.modifySecretNamespace];
  return name && namespace ? { name, namespace } : spec?.csi?.controllerExpandSecretRef;
}

function metadataOf({ metadata }: PersistentVolumeClaim, volume: PersistentVolume): Record<string, string> {
  return {
    [metadataParameters.claimName]: metadata.name,
    [metadataParameters.claimNamespace]: metadata.namespace ?? '',
    [metadataParameters.volumeName]: volume.metadata.name,
  };
}
