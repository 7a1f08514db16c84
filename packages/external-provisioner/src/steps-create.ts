import { FenceError, type Outcome, readLive, readSecret, SecretError, type Store, tellIfSlow } from '@holdfast/control';
import { type Clock, errorMessage, type Logger, lingeringSignal } from '@holdfast/core';
import {
  type Draft,
  isAlreadyExists,
  type KubeClient,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumes,
} from '@holdfast/kube';
import { type RpcError, rpcErrorText } from '@holdfast/rpc';
import type { ClaimEvents } from './claim-events.ts';
import { type ClaimJournal, JournalFullError } from './claim-journal.ts';
import type { ClaimMemory } from './claim-memory.ts';
import type { CsiCalls } from './csi-calls.ts';
import type { CreatedVolume } from './driver-reply.ts';
import type { DriverTraits } from './driver-traits.ts';
import { isOfSameVolume, translated } from './in-tree.ts';
import type { ProvisionMetrics } from './metrics.ts';
import type { VolumePlan } from './plan.ts';
import type { SourceProtection } from './source-protection.ts';
import { type NodeAffinity, type VolumeMaker, volumeObject } from './volume-object.ts';

export interface CreateStepsDeps {
  readonly client: KubeClient;
  readonly calls: CsiCalls;
  readonly claims: Store<PersistentVolumeClaim>;
  readonly volumes: Store<PersistentVolume>;
  readonly memory: ClaimMemory;
  readonly journal: ClaimJournal;
  readonly sources: SourceProtection;
  /** Hears that a volume took room, or failed to. */
  readonly onRoomChanged: (className: string, affinity: NodeAffinity) => void;
  readonly events: ClaimEvents;
  readonly metrics: ProvisionMetrics;
  /** Asked once per volume: whether csi-attacher's finalizer is needed depends on the cluster. */
  readonly maker: (signal: AbortSignal) => Promise<VolumeMaker>;
  readonly driver: Pick<DriverTraits, 'driverName' | 'plugin' | 'hasTopology'>;
  /** How long a claim rests whose parameters the driver called invalid (`--retry-interval-max`). */
  readonly infeasibleRestMs: number;
  readonly reschedule: (
    claim: PersistentVolumeClaim,
    node: string,
    reason: string,
    signal: AbortSignal,
  ) => Promise<Outcome>;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface CreateSteps {
  create(uid: string, plan: VolumePlan, signal: AbortSignal): Promise<Outcome>;
  save(uid: string, plan: VolumePlan, created: Created, signal: AbortSignal): Promise<Outcome>;
  discard(uid: string, plan: VolumePlan, unwanted: Unwanted, signal: AbortSignal): Promise<Outcome>;
}

/** Well inside the 30 s that a pod gets to end, and more than one write needs. */
const SAVE_GRACE_MS = 10_000;

interface Created {
  readonly draft: Draft<PersistentVolume>;
  readonly volumeId: string;
}

interface Unwanted {
  readonly volumeId: string;
  readonly why: string;
}

/** CreateVolume and what follows from its answer: the PersistentVolume, or the volume's removal. */
export function createCreateSteps(deps: CreateStepsDeps): CreateSteps {
  const { client, calls, claims, volumes, memory, journal, events, metrics, clock, log } = deps;

  function fail(plan: VolumePlan, reason: string): Outcome & { kind: 'retry' } {
    metrics.provisionFailed(plan.storageClass.name, plan.source?.kind ?? '');
    events.failed(plan.claim, plan.storageClass.name, reason);
    return { kind: 'retry', error: new Error(reason) };
  }

  async function secretsOf(plan: VolumePlan, signal: AbortSignal): Promise<Record<string, string>> {
    const namedBy = `StorageClass "${plan.storageClass.name}"`;
    return await readSecret(client, plan.secretRefs.provisioner, { namedBy, signal });
  }

  async function create(uid: string, plan: VolumePlan, signal: AbortSignal): Promise<Outcome> {
    const startedMs = clock.monotonicMs();
    const isFirst = memory.progress(uid) === undefined;
    let secrets: Record<string, string>;
    try {
      secrets = await secretsOf(plan, signal);
    } catch (error) {
      if (error instanceof SecretError) return fail(plan, error.message);
      throw error;
    }
    try {
      if (isFirst && plan.source) await deps.sources.protect(plan.source, signal);
      await journal.begin(plan, signal);
    } catch (error) {
      if (error instanceof JournalFullError) return fail(plan, error.message);
      throw error;
    }
    memory.setProgress(uid, { kind: 'creating', plan });
    const createVolume = () => calls.createVolume(plan, secrets, signal);
    const result = isFirst
      ? await tellIfSlow(clock, () => events.provisioning(plan.claim), createVolume)
      : await createVolume();
    // Cut off by our own end: nobody failed, and the claim stands as it was for whoever comes next.
    if (signal.aborted && result.kind !== 'usable') throw signal.reason;

    switch (result.kind) {
      case 'usable': {
        const outcome = await keep(uid, plan, result.volume, signal);
        if (outcome.kind === 'done')
          metrics.provisioned(plan.storageClass.name, plan.source?.kind ?? '', clock.monotonicMs() - startedMs);
        return outcome;
      }
      case 'unusable': {
        const { volumeId, why } = result;
        // Without an id nothing can be deleted; asking again under the same name may yet yield one.
        if (volumeId === undefined) return fail(plan, why);
        memory.setProgress(uid, { kind: 'unwanted', plan, volumeId, why });
        return await discard(uid, plan, { volumeId, why }, signal);
      }
      case 'inBackground':
        return fail(plan, rpcErrorText(result.error));
      case 'exhausted':
        deps.onRoomChanged(plan.storageClass.name, undefined);
        return await exhausted(uid, plan, result.error, signal);
      case 'final':
        memory.clearProgress(uid);
        deps.onRoomChanged(plan.storageClass.name, undefined);
        if (!result.isInfeasible) return fail(plan, rpcErrorText(result.error));
        memory.setInfeasible(uid, plan.storageClass.uid, deps.infeasibleRestMs);
        return {
          ...fail(
            plan,
            `${rpcErrorText(result.error)}; the next try is in ${Math.round(deps.infeasibleRestMs / 1000)} s, or when the StorageClass is another`,
          ),
          kind: 'again',
          afterMs: deps.infeasibleRestMs,
        };
      default:
        return result satisfies never;
    }
  }

  /** Stores the volume's object. A volume that the in-tree plug-in of its class could not name is deleted again. */
  async function keep(uid: string, plan: VolumePlan, volume: CreatedVolume, signal: AbortSignal): Promise<Outcome> {
    const { volumeId } = volume;
    const maker = await deps.maker(signal);
    const made = translated(() => volumeObject(plan, volume, maker));
    if ('refusal' in made) {
      const unwanted = { volumeId, why: made.refusal };
      memory.setProgress(uid, { kind: 'unwanted', plan, ...unwanted });
      return await discard(uid, plan, unwanted, signal);
    }
    const draft = made.value;
    memory.setProgress(uid, { kind: 'created', plan, draft, volumeId });
    return await save(uid, plan, { draft, volumeId }, signal);
  }

  /**
   * No volume was made where it was asked for. Another node may have room; without a choice of nodes this is an error
   * like others.
   */
  async function exhausted(uid: string, plan: VolumePlan, error: RpcError, signal: AbortSignal): Promise<Outcome> {
    memory.clearProgress(uid);
    if (!deps.driver.hasTopology || plan.selectedNode === undefined) return fail(plan, rpcErrorText(error));
    return await deps.reschedule(plan.claim, plan.selectedNode, rpcErrorText(error), signal);
  }

  /**
   * Goes on for a while when we are told to stop, or the driver has gone away: nobody else knows of the volume, and
   * should its claim be deleted before we are back, nobody ever would.
   */
  async function save(uid: string, plan: VolumePlan, created: Created, signal: AbortSignal): Promise<Outcome> {
    const { draft, volumeId } = created;
    const grace = lingeringSignal(signal, SAVE_GRACE_MS);
    try {
      volumes.applyWrite(await client.create(persistentVolumes, draft, { signal: grace.signal }));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof FenceError) throw error;
      if (isAlreadyExists(error)) return await compareExisting(uid, plan, created, signal);
      // The volume exists: it is neither given up nor forgotten, however often the API server refuses its object.
      return fail(
        plan,
        `volume ${volumeId} is created, but its PersistentVolume ${plan.volumeName} cannot be stored yet: ${errorMessage(error)}`,
      );
    } finally {
      grace.cancel();
    }
    deps.onRoomChanged(plan.storageClass.name, draft.spec?.nodeAffinity);
    return await saved(uid, plan, signal);
  }

  async function saved(uid: string, plan: VolumePlan, signal: AbortSignal): Promise<Outcome> {
    const [claim] = claims.byIndex('uid', uid);
    if (claim && !claim.spec?.volumeName) memory.setProgress(uid, { kind: 'saved', volumeName: plan.volumeName });
    else memory.forget(uid);
    events.succeeded(plan.claim, plan.volumeName);
    log.info('Provisioned volume', {
      claim: `${plan.claim.metadata.namespace}/${plan.claim.metadata.name}`,
      volume: plan.volumeName,
    });
    if (plan.source) await deps.sources.release(plan.source, uid, signal);
    return { kind: 'done' };
  }

  /**
   * A reply that was lost leaves our own object behind, which is success; anything else of that name is not ours to
   * touch.
   */
  async function compareExisting(
    uid: string,
    plan: VolumePlan,
    { draft, volumeId }: Created,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const from = { client, resource: persistentVolumes, store: volumes };
    const existing = await readLive(from, { name: plan.volumeName }, signal);
    if (!existing) return { kind: 'again', afterMs: 0 };
    const csi = existing.spec?.csi;
    const isSameVolume = isOfSameVolume(existing, draft, deps.driver);
    const isSameClaim = existing.spec?.claimRef?.uid === uid;
    if (isSameVolume && isSameClaim) return await saved(uid, plan, signal);
    if (isSameVolume) {
      return fail(
        plan,
        `PersistentVolume ${plan.volumeName} exists already for volume ${volumeId} and is not this claim's: delete it, or the claim`,
      );
    }
    const why = `PersistentVolume ${plan.volumeName} exists already with another volume (${csi?.volumeHandle ?? 'not a CSI one'})`;
    memory.setProgress(uid, { kind: 'unwanted', plan, volumeId, why });
    return await discard(uid, plan, { volumeId, why }, signal);
  }

  async function discard(
    uid: string,
    plan: VolumePlan,
    { volumeId, why }: Unwanted,
    signal: AbortSignal,
  ): Promise<Outcome> {
    let secrets: Record<string, string>;
    try {
      secrets = await secretsOf(plan, signal);
    } catch (error) {
      if (error instanceof SecretError)
        return fail(plan, `${why}; volume ${volumeId} must be deleted, but ${error.message}`);
      throw error;
    }
    const result = await calls.deleteVolume(volumeId, { secrets, isMigrated: plan.isMigrated }, signal);
    if (result.kind === 'failed') {
      signal.throwIfAborted();
      return fail(
        plan,
        `${why}; deleting volume ${volumeId} failed as well and is tried again: ${rpcErrorText(result.error)}`,
      );
    }
    // Nothing is left of it, so nothing is owed any more, should the claim be gone.
    memory.clearProgress(uid);
    return fail(plan, `${why}; volume ${volumeId} was deleted again`);
  }

  return { create, save, discard };
}
