import type { Fence, Outcome } from '@holdfast/control';
import { type Clock, errorMessage, isAbort, type KeyedLock, type Logger } from '@holdfast/core';
import {
  addFinalizerPatch,
  isConflict,
  isInvalid,
  isNotFound,
  type KubeClient,
  type Patch,
  type PersistentVolume,
  persistentVolumes,
  removeFinalizerPatch,
  type VolumeAttachment,
  volumeAttachments,
} from '@holdfast/kube';
import { codeNumber, RpcError } from '@holdfast/rpc';
import type { Caches } from './caches.ts';
import { type CsiCalls, describeRpcError, type Secrets } from './csi-calls.ts';
import type { AttachmentStep, VolumeStep } from './decide.ts';
import { attachedPatch, claimPatch, detachedPatch, errorPatch } from './patches.ts';
import type { SecretRef } from './publish-request.ts';
import { readSecret } from './secrets.ts';
import type { DriverTraits } from './traits.ts';

export interface StepDeps {
  /** Fenced: it writes only while we lead. */
  readonly client: KubeClient;
  readonly calls: CsiCalls;
  readonly caches: Pick<Caches, 'attachments' | 'volumes'>;
  readonly traits: DriverTraits;
  /** One write of a volume's finalizer at a time. */
  readonly volumeLock: KeyedLock;
  /** Whether attachError carries the gRPC code (gate MutableCSINodeAllocatableCount). */
  readonly hasErrorCodes: boolean;
  readonly fence: Fence;
  readonly log: Logger;
  readonly clock: Clock;
}

type StepOf<Kind extends AttachmentStep['kind']> = Extract<AttachmentStep, { kind: Kind }>;

/** Carries one step out. Whatever fails is told in the VolumeAttachment's status and tried again. */
export async function carryOut(step: AttachmentStep, deps: StepDeps, signal: AbortSignal): Promise<Outcome> {
  switch (step.kind) {
    case 'ignore':
      return { kind: 'done' };
    case 'attach':
      return guard('attachError', step.attachment, deps, signal, () => attach(step, deps, signal));
    case 'detach':
      return guard('detachError', step.attachment, deps, signal, () => detach(step, deps, signal));
    case 'markAttached':
      return guard('attachError', step.attachment, deps, signal, async () => {
        await patchStatus(attachedPatch(step.attachment, {}), step.attachment, deps, signal);
      });
    case 'markDetached':
    case 'release':
      return guard('detachError', step.attachment, deps, signal, () => release(step.attachment, deps, signal));
    case 'refuse': {
      const field = step.operation === 'attach' ? 'attachError' : 'detachError';
      return guard(field, step.attachment, deps, signal, () => Promise.reject(new Error(step.reason)));
    }
    default:
      return step satisfies never;
  }
}

export async function carryOutVolume(step: VolumeStep, deps: StepDeps, signal: AbortSignal): Promise<Outcome> {
  if (step.kind === 'ignore') return { kind: 'done' };
  const { volume } = step;
  const patch = removeFinalizerPatch(volume, deps.traits.finalizer);
  try {
    const after = patch && (await patchVolume(patch, volume, deps, signal));
    if (after !== undefined && isGone(after))
      deps.caches.volumes.applyDelete(volume.metadata.name, volume.metadata.uid);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    deps.caches.volumes.applyDelete(volume.metadata.name, volume.metadata.uid);
  }
  return { kind: 'done' };
}

async function attach(step: StepOf<'attach'>, deps: StepDeps, signal: AbortSignal): Promise<void> {
  const { traits, log } = deps;
  const secrets = await secretsFor(step.secretRef, deps, signal);
  if (step.volume) await holdVolume(step.volume, deps, signal);

  const claim = claimPatch(step.attachment, traits.finalizer, step.request.nodeId);
  const claimed = claim ? await patchAttachment(claim, step.attachment, deps, signal) : step.attachment;
  deps.fence.check();
  const publishContext = await deps.calls.publish(step.request, secrets, signal);
  await patchStatus(attachedPatch(claimed, publishContext), claimed, deps, signal);
  log.debug(2, 'Attached', {
    attachment: step.attachment.metadata.name,
    volumeId: step.request.volumeId,
    nodeId: step.request.nodeId,
  });
}

/** Puts our finalizer on the volume. Two nodes may attach it at once: the second then sees what the first has written. */
async function holdVolume(seen: PersistentVolume, deps: StepDeps, signal: AbortSignal): Promise<void> {
  const { name, uid } = seen.metadata;
  const hold = async () => {
    const newest = deps.caches.volumes.get(name);
    const volume = newest?.metadata.uid === uid ? newest : seen;
    const patch = addFinalizerPatch(volume, deps.traits.finalizer);
    if (patch) await patchVolume(patch, volume, deps, signal);
  };
  await deps.volumeLock.run(name, hold, signal);
}

async function detach(step: StepOf<'detach'>, deps: StepDeps, signal: AbortSignal): Promise<void> {
  const { attachment, volumeId, nodeId } = step;
  const secrets = await secretsFor(step.secretRef, deps, signal);
  deps.fence.check();
  await deps.calls.unpublish(volumeId, nodeId, secrets, signal);
  deps.log.debug(2, 'Detached', { attachment: attachment.metadata.name, volumeId, nodeId });
  await release(attachment, deps, signal);
}

/**
 * First the finalizer, then the status: a status that says detached while the finalizer stands made upstream unpublish
 * twice. The status is written only when somebody else still holds the object, as otherwise it is gone by then.
 */
async function release(attachment: VolumeAttachment, deps: StepDeps, signal: AbortSignal): Promise<void> {
  try {
    const patch = removeFinalizerPatch(attachment, deps.traits.finalizer);
    const after = patch ? await patchAttachment(patch, attachment, deps, signal) : attachment;
    if (isGone(after)) forget(attachment, deps);
    else await patchStatus(detachedPatch(after), after, deps, signal);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    forget(attachment, deps);
  }
}

/** The reply to the patch that removed the last finalizer of a deleted object: the server has dropped it. */
function isGone(object: VolumeAttachment | PersistentVolume): boolean {
  return object.metadata.deletionTimestamp !== undefined && (object.metadata.finalizers ?? []).length === 0;
}

function forget(attachment: VolumeAttachment, deps: StepDeps): void {
  deps.caches.attachments.applyDelete(attachment.metadata.name, attachment.metadata.uid);
}

async function secretsFor(ref: SecretRef | undefined, deps: StepDeps, signal: AbortSignal): Promise<Secrets> {
  return ref === undefined ? {} : readSecret(deps.client, ref, signal);
}

/** Runs a step; its failure goes to the status, unless we are stopping or only saw an old version of an object. */
async function guard(
  field: 'attachError' | 'detachError',
  attachment: VolumeAttachment,
  deps: StepDeps,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<Outcome> {
  try {
    await work();
    return { kind: 'done' };
  } catch (error) {
    if (signal.aborted || isAbort(error, signal)) return { kind: 'retry', error: toError(error) };
    if (!(error instanceof OutdatedError) && deps.fence.isHeld) await tell(field, attachment, error, deps, signal);
    return { kind: 'retry', error: toError(error) };
  }
}

/** Writes an error into the status. That it cannot be written is only logged: the error itself is what counts. */
async function tell(
  field: 'attachError' | 'detachError',
  attachment: VolumeAttachment,
  error: unknown,
  deps: StepDeps,
  signal: AbortSignal,
): Promise<void> {
  const { name, uid } = attachment.metadata;
  const newest = deps.caches.attachments.get(name);
  const current = newest?.metadata.uid === uid ? newest : attachment;
  const hasCode = field === 'attachError' && deps.hasErrorCodes && error instanceof RpcError;
  const patch = errorPatch(current, field, {
    message: error instanceof RpcError ? describeRpcError(error) : errorMessage(error),
    // metav1.Time has no fractions.
    time: new Date(deps.clock.nowMs()).toISOString().replace(/\.\d+Z$/, 'Z'),
    ...(hasCode ? { errorCode: codeNumber(error.code) } : {}),
  });
  try {
    await patchStatus(patch, current, deps, signal);
  } catch (failure) {
    if (isNotFound(failure)) forget(attachment, deps);
    else
      deps.log.warn('Cannot write the error into the VolumeAttachment', {
        attachment: name,
        field,
        error: errorMessage(failure),
      });
  }
}

async function patchStatus(
  patch: Patch | undefined,
  attachment: VolumeAttachment,
  deps: StepDeps,
  signal: AbortSignal,
): Promise<void> {
  if (patch === undefined) return;
  const ref = { name: attachment.metadata.name };
  deps.caches.attachments.applyWrite(
    await deps.client.patch(volumeAttachments, ref, patch, { subresource: 'status', signal }),
  );
}

/** A guarded patch was refused because the object is not as we saw it. The cache holds the newest version by now. */
class OutdatedError extends Error {
  override readonly name = 'OutdatedError';
}

async function patchAttachment(
  patch: Patch,
  attachment: VolumeAttachment,
  deps: StepDeps,
  signal: AbortSignal,
): Promise<VolumeAttachment> {
  const ref = { name: attachment.metadata.name };
  const after = await deps.client
    .patch(volumeAttachments, ref, patch, { signal })
    .catch((error: unknown) =>
      refresh(error, `VolumeAttachment "${ref.name}"`, async () =>
        deps.caches.attachments.applyWrite(await deps.client.get(volumeAttachments, ref, { signal })),
      ),
    );
  deps.caches.attachments.applyWrite(after);
  return after;
}

async function patchVolume(
  patch: Patch,
  volume: PersistentVolume,
  deps: StepDeps,
  signal: AbortSignal,
): Promise<PersistentVolume> {
  const ref = { name: volume.metadata.name };
  const after = await deps.client
    .patch(persistentVolumes, ref, patch, { signal })
    .catch((error: unknown) =>
      refresh(error, `PersistentVolume "${ref.name}"`, async () =>
        deps.caches.volumes.applyWrite(await deps.client.get(persistentVolumes, ref, { signal })),
      ),
    );
  deps.caches.volumes.applyWrite(after);
  return after;
}

async function refresh(error: unknown, what: string, readAgain: () => Promise<void>): Promise<never> {
  if (!isInvalid(error) && !isConflict(error)) throw error;
  await readAgain();
  throw new OutdatedError(`${what} has changed since it was read: ${errorMessage(error)}`, { cause: error });
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(errorMessage(error));
}
