import { FenceError, type Outcome, pick, readSecret } from '@holdfast/control';
import { type Clock, createKeyedLock, errorMessage, isAbort, type Logger } from '@holdfast/core';
import {
  addFinalizerPatch,
  isNotFound,
  type KubeClient,
  type KubeObject,
  type PersistentVolume,
  removeFinalizerPatch,
  type VolumeAttachment,
} from '@holdfast/kube';
import { codeNumber, RpcError, rpcErrorText } from '@holdfast/rpc';
import type { CsiCalls, Secrets } from './csi-calls.ts';
import type { AttachmentStep } from './decide.ts';
import { recordAnnotations } from './detach-record.ts';
import type { DriverTraits } from './driver-traits.ts';
import { annotations } from './names.ts';
import { isGone, type ObjectWriter, OutdatedError } from './object-writer.ts';
import { attachedPatch, detachedPatch, errorPatch, holdPatch } from './patches.ts';
import type { SecretRef } from './publish-request.ts';
import type { Stores } from './stores.ts';

export interface AttachmentStepsDeps {
  readonly client: KubeClient;
  readonly calls: CsiCalls;
  readonly stores: Pick<Stores, 'attachments' | 'volumes'>;
  readonly writer: ObjectWriter;
  readonly driver: DriverTraits;
  /** Whether attachError carries the gRPC code (gate MutableCSINodeAllocatableCount). */
  readonly hasErrorCodes: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

export type AttachmentSteps = (name: string, step: AttachmentStep, signal: AbortSignal) => Promise<Outcome>;

type StepOf<Kind extends AttachmentStep['kind']> = Extract<AttachmentStep, { kind: Kind }>;
type ErrorField = 'attachError' | 'detachError';

const done: Outcome = { kind: 'done' };

/** Carries out one step for the VolumeAttachment of a name. Whatever fails is told in its status and tried again. */
export function createAttachmentSteps(deps: AttachmentStepsDeps): AttachmentSteps {
  const { client, calls, stores, writer, driver, clock, log } = deps;
  // One write of a volume's finalizer at a time.
  const volumeLock = createKeyedLock();

  async function attach(step: StepOf<'attach'>, signal: AbortSignal): Promise<void> {
    const { attachment, volume, request } = step;
    const secrets = await secretsOf(step.secretRef, signal);
    if (volume) await holdVolume(volume, signal);
    const hold = holdPatch(attachment, driver.finalizer, {
      [annotations.nodeId]: request.nodeId,
      // An inline source stands in the attachment itself.
      ...(volume && recordAnnotations({ volumeId: request.volumeId, ...pick(step, 'secretRef') })),
    });
    const held = await writer.patchAttachment(attachment, hold, signal);
    const publishContext = await calls.publish(request, { secrets, isMigrated: step.isMigrated }, signal);
    await writer.patchAttachmentStatus(held, attachedPatch(held, publishContext), signal);
    const { volumeId, nodeId } = request;
    log.debug(2, 'Attached', { attachment: attachment.metadata.name, volumeId, nodeId });
  }

  /**
   * Puts our finalizer on the volume. Two nodes may attach it at once: the second then sees what the first has written.
   */
  async function holdVolume(seen: PersistentVolume, signal: AbortSignal): Promise<void> {
    const { name } = seen.metadata;
    const hold = async () => {
      const volume = newestOf(seen, stores.volumes.get(name));
      await writer.patchVolume(volume, addFinalizerPatch(volume, driver.finalizer), signal);
    };
    await volumeLock.run(name, hold, signal);
  }

  async function detach(step: StepOf<'detach'>, signal: AbortSignal): Promise<void> {
    const { attachment, volumeId, nodeId, isMigrated } = step;
    const secrets = await secretsOf(step.secretRef, signal);
    await calls.unpublish({ volumeId, nodeId }, { secrets, isMigrated }, signal);
    log.debug(2, 'Detached', { attachment: attachment.metadata.name, volumeId, nodeId });
    await release(attachment, signal);
  }

  /**
   * First the finalizer, then the status: a status that says detached while the finalizer stands made upstream
   * unpublish twice. The status is written only when somebody else still holds the object, as otherwise it is gone by
   * then.
   */
  async function release(attachment: VolumeAttachment, signal: AbortSignal): Promise<void> {
    try {
      const patch = removeFinalizerPatch(attachment, driver.finalizer);
      const after = await writer.patchAttachment(attachment, patch, signal);
      if (!isGone(after)) await writer.patchAttachmentStatus(after, detachedPatch(after), signal);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  function secretsOf(ref: SecretRef | undefined, signal: AbortSignal): Promise<Secrets> {
    return readSecret(client, ref, { namedBy: 'csi.controllerPublishSecretRef of the volume', signal });
  }

  /** Does the work; what fails goes to the status, unless we must stop or only saw an old version of an object. */
  async function guard(
    field: ErrorField,
    attachment: VolumeAttachment,
    work: () => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<Outcome> {
    try {
      await work();
      return done;
    } catch (error) {
      const isStopping = signal.aborted || isAbort(error, signal) || error instanceof FenceError;
      if (!isStopping && !(error instanceof OutdatedError)) await tell(field, attachment, error, signal);
      return { kind: 'retry', error: error instanceof Error ? error : new Error(errorMessage(error)) };
    }
  }

  /** Writes an error into the status. That it cannot be written is only logged: the error itself is what counts. */
  async function tell(
    field: ErrorField,
    attachment: VolumeAttachment,
    error: unknown,
    signal: AbortSignal,
  ): Promise<void> {
    const { name } = attachment.metadata;
    const current = newestOf(attachment, stores.attachments.get(name));
    const hasCode = field === 'attachError' && deps.hasErrorCodes && error instanceof RpcError;
    const patch = errorPatch(current, field, {
      message: error instanceof RpcError ? rpcErrorText(error) : errorMessage(error),
      // metav1.Time has no fractions.
      time: new Date(clock.nowMs()).toISOString().replace(/\.\d+Z$/, 'Z'),
      ...(hasCode ? { errorCode: codeNumber(error.code) } : {}),
    });
    try {
      await writer.patchAttachmentStatus(current, patch, signal);
    } catch (failure) {
      if (isNotFound(failure)) return;
      log.warn('Cannot write the error into the VolumeAttachment', {
        attachment: name,
        field,
        error: errorMessage(failure),
      });
    }
  }

  return async (name, step, signal) => {
    log.debug(4, 'Next step of the attachment', { attachment: name, step: step.kind, reason: step.reason });
    switch (step.kind) {
      case 'ignore':
      case 'leaveToOthers':
        return done;
      case 'attach':
        return await guard('attachError', step.attachment, () => attach(step, signal), signal);
      case 'detach':
        return await guard('detachError', step.attachment, () => detach(step, signal), signal);
      case 'markAttached': {
        const { attachment } = step;
        const mark = () => writer.patchAttachmentStatus(attachment, attachedPatch(attachment, {}), signal);
        return await guard('attachError', attachment, mark, signal);
      }
      case 'markDetached':
      case 'release':
        return await guard('detachError', step.attachment, () => release(step.attachment, signal), signal);
      case 'refuse': {
        const field = step.operation === 'attach' ? 'attachError' : 'detachError';
        return await guard(field, step.attachment, () => Promise.reject(new Error(step.reason)), signal);
      }
      default:
        return step satisfies never;
    }
  };
}

/** The cache's version of an object, unless it is another one of the same name. */
function newestOf<T extends KubeObject>(seen: T, cached: T | undefined): T {
  return cached?.metadata.uid === seen.metadata.uid ? cached : seen;
}
