import { type EventRecorder, FenceError, type Outcome, readSecret, SecretError, type Store } from '@holdfast/control';
import { type Clock, errorMessage, type Logger } from '@holdfast/core';
import {
  addFinalizerPatch,
  isNotFound,
  type KubeClient,
  type Patch,
  type PersistentVolume,
  persistentVolumes,
  type StorageClass,
} from '@holdfast/kube';
import { rpcErrorText } from '@holdfast/rpc';
import type { ClaimJournal } from './claim-journal.ts';
import type { CsiCalls } from './csi-calls.ts';
import type { VolumeStep } from './decide-volume.ts';
import { deletionSecretRef } from './deletion-secret.ts';
import type { DriverTraits } from './driver-traits.ts';
import { classForDriver } from './in-tree.ts';
import type { ProvisionMetrics } from './metrics.ts';
import { reasons, VOLUME_FINALIZER } from './names.ts';
import { removeFinalizersPatch } from './patches.ts';
import type { VolumeMemory } from './volume-memory.ts';
import type { NodeAffinity } from './volume-object.ts';

export interface VolumeStepsDeps {
  readonly client: KubeClient;
  readonly calls: CsiCalls;
  readonly volumes: Store<PersistentVolume>;
  readonly classes: Store<StorageClass>;
  readonly memory: VolumeMemory;
  readonly journal: ClaimJournal;
  /** Hears that a volume gave up its room. */
  readonly onRoomChanged: (className: string, affinity: NodeAffinity) => void;
  readonly recorder: EventRecorder;
  readonly metrics: ProvisionMetrics;
  readonly driver: Pick<DriverTraits, 'driverName' | 'plugin' | 'attacherFinalizer'>;
  readonly clock: Clock;
  readonly log: Logger;
}

type DeleteStep = Extract<VolumeStep, { kind: 'delete' }>;

export type VolumeSteps = (name: string, step: VolumeStep, signal: AbortSignal) => Promise<Outcome>;

const done: Outcome = { kind: 'done' };

/** Carries out one step for the volume of a name. What a step throws is a retry. */
export function createVolumeSteps(deps: VolumeStepsDeps): VolumeSteps {
  const { client, calls, volumes, classes, memory, recorder, metrics, clock, log } = deps;

  async function patchVolume(
    volume: PersistentVolume,
    patch: Patch | undefined,
    signal: AbortSignal,
  ): Promise<Outcome> {
    if (!patch) return done;
    try {
      volumes.applyWrite(await client.patch(persistentVolumes, { name: volume.metadata.name }, patch, { signal }));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return done;
  }

  async function deleteVolume(step: DeleteStep, signal: AbortSignal): Promise<Outcome> {
    const { volume, volumeId, isMigrated } = step;
    const startedMs = clock.monotonicMs();
    const className = volume.spec?.storageClassName ?? '';
    let reason: string;
    try {
      const secrets = await secretsFor(volume, signal);
      const result = await calls.deleteVolume(volumeId, { secrets, isMigrated }, signal);
      if (result.kind === 'unknown') {
        const told = { volume: volume.metadata.name, volumeId, error: rpcErrorText(result.error) };
        log.warn('The driver does not know the volume, which so counts as deleted; it should have answered OK', told);
      }
      if (result.kind !== 'failed') {
        memory.set(volume, 'volumeDeleted');
        deps.onRoomChanged(className, volume.spec?.nodeAffinity);
        metrics.deleted(className, clock.monotonicMs() - startedMs);
        return await removeObject(volume, signal);
      }
      reason = rpcErrorText(result.error);
    } catch (error) {
      signal.throwIfAborted();
      // Past DeleteVolume only the API server can fail; the volume is gone, which is nothing to alarm a user about.
      if (memory.stage(volume) !== undefined || error instanceof FenceError) throw error;
      reason = errorMessage(error);
    }
    signal.throwIfAborted();
    metrics.deleteFailed(className);
    recorder.event(volume, 'Warning', reasons.volumeFailedDelete, reason);
    return { kind: 'retry', error: new Error(reason) };
  }

  function classOf(volume: PersistentVolume): StorageClass | undefined {
    const storageClass = classes.get(volume.spec?.storageClassName ?? '');
    return storageClass && classForDriver(storageClass, deps.driver);
  }

  function refuse(volume: PersistentVolume, reason: string): Outcome {
    metrics.deleteFailed(volume.spec?.storageClassName ?? '');
    recorder.event(volume, 'Warning', reasons.volumeFailedDelete, reason);
    return { kind: 'retry', error: new Error(reason) };
  }

  /** A secret that is gone does not stop the deletion: most drivers do without, and the others say what they miss. */
  async function secretsFor(volume: PersistentVolume, signal: AbortSignal): Promise<Record<string, string>> {
    const ref = deletionSecretRef(volume, classOf(volume));
    try {
      return await readSecret(client, ref, { namedBy: `PersistentVolume "${volume.metadata.name}"`, signal });
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      recorder.event(volume, 'Warning', reasons.volumeFailedDelete, `deleting without a secret: ${error.message}`);
      log.warn('Deleting the volume without its secret', { volume: volume.metadata.name, error: error.message });
      return {};
    }
  }

  /**
   * The finalizers go first, all of ours in one write, then the object: in this order it never lingers with a
   * deletionTimestamp and our finalizer, which would bring every watcher back to it. No attachment is left, so
   * csi-attacher's finalizer guards nothing.
   */
  async function removeObject(volume: PersistentVolume, signal: AbortSignal): Promise<Outcome> {
    const { name, uid, deletionTimestamp } = volume.metadata;
    await patchVolume(volume, removeFinalizersPatch(volume, [VOLUME_FINALIZER, deps.driver.attacherFinalizer]), signal);
    if (deletionTimestamp === undefined) {
      try {
        await client.delete(persistentVolumes, { name }, { preconditions: { uid }, signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    memory.set(volume, 'objectDeleted');
    log.info('Deleted volume', { volume: name });
    return done;
  }

  /** From here on the volume may go, or stay without its object: no successor may take it for one that is being made. */
  async function letGo(volume: PersistentVolume, signal: AbortSignal): Promise<void> {
    await deps.journal.settled(volume.spec?.claimRef?.uid ?? '', signal);
  }

  return async (name, step, signal) => {
    log.debug(4, 'Next step of the volume', { volume: name, step: step.kind, reason: step.reason });
    switch (step.kind) {
      case 'ignore':
      case 'wait':
      case 'leaveToOthers':
        return done;
      case 'forget':
        memory.forget(name);
        return done;
      case 'protect':
        return await patchVolume(step.volume, addFinalizerPatch(step.volume, VOLUME_FINALIZER), signal);
      case 'unprotect':
        await letGo(step.volume, signal);
        return await patchVolume(step.volume, removeFinalizersPatch(step.volume, [VOLUME_FINALIZER]), signal);
      case 'delete':
        await letGo(step.volume, signal);
        return await deleteVolume(step, signal);
      case 'refuse':
        return refuse(step.volume, step.reason);
      case 'removeObject':
        return await removeObject(step.volume, signal);
      default:
        return step satisfies never;
    }
  };
}
