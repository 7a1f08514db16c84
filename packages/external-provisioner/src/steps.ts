import { type Outcome, readLive } from '@holdfast/control';
import { isForbidden, isNotFound, type PersistentVolumeClaim, persistentVolumeClaims } from '@holdfast/kube';
import type { ClaimStep } from './decide.ts';
import { unselectNodePatch } from './patches.ts';
import { selectedNodeOf } from './plan.ts';
import { sourceKindOf } from './source-ref.ts';
import { type CreateStepsDeps, createCreateSteps } from './steps-create.ts';
import type { NodeSteps } from './steps-node.ts';

export type ClaimSteps = (uid: string, step: ClaimStep, signal: AbortSignal) => Promise<Outcome>;

const done: Outcome = { kind: 'done' };

/** Carries out one step for the claim of a uid. What a step throws is a retry. */
export function createClaimSteps(
  deps: Omit<CreateStepsDeps, 'reschedule'> & { readonly nodeSteps: NodeSteps | undefined },
): ClaimSteps {
  const { client, claims, memory, events, metrics, log } = deps;
  const { create, save, discard } = createCreateSteps({ ...deps, reschedule });

  function turnDown(step: Extract<ClaimStep, { kind: 'refuse' | 'retry' }>): Outcome {
    metrics.provisionFailed(step.className, sourceKindOf(step.claim));
    events.failed(step.claim, step.className, step.reason);
    return { kind: step.kind === 'retry' ? 'retry' : 'giveUp', error: new Error(step.reason) };
  }

  async function reschedule(
    claim: PersistentVolumeClaim,
    node: string,
    reason: string,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const className = claim.spec?.storageClassName ?? '';
    metrics.provisionFailed(className, sourceKindOf(claim));
    events.failed(claim, className, `${reason}; asking the scheduler for another node`);
    const [current] = claims.byIndex('uid', claim.metadata.uid);
    if (!current) return done;
    const updated = await unselectNode(current, node, signal);
    if (updated) claims.applyWrite(updated);
    return done;
  }

  async function unselectNode(
    claim: PersistentVolumeClaim,
    node: string,
    signal: AbortSignal,
  ): Promise<PersistentVolumeClaim | undefined> {
    const { name, namespace } = claim.metadata;
    const ref = namespace === undefined ? { name } : { name, namespace };
    const patch = unselectNodePatch(claim, node);
    if (!patch) return undefined;
    try {
      return await client.patch(persistentVolumeClaims, ref, patch, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (!isForbidden(error)) throw error;
    }
    // Roles written for the Go sidecar grant `update` on claims and not `patch`. The object goes back whole, as the
    // server gave it, guarded by its resourceVersion.
    log.debug(2, 'The role does not grant patch on persistentvolumeclaims, using update', {
      claim: `${namespace}/${name}`,
    });
    const live = await client.get(persistentVolumeClaims, ref, { signal });
    if (live.metadata.uid !== claim.metadata.uid || selectedNodeOf(live) !== node) return live;
    const kept = Object.entries(live.metadata.annotations ?? {}).filter(
      ([key, value]) => !(key.endsWith('volume.kubernetes.io/selected-node') && value === node),
    );
    const body = { ...live, metadata: { ...live.metadata, annotations: Object.fromEntries(kept) } };
    return await client.replace(persistentVolumeClaims, ref, body, { signal });
  }

  /**
   * Asks the API server whether a claim that looks unprovisioned really is (the cache may lag behind a whole life of
   * its volume).
   */
  async function confirm(uid: string, claim: PersistentVolumeClaim, signal: AbortSignal): Promise<Outcome> {
    const from = { client, resource: persistentVolumeClaims, store: claims };
    const live = await readLive(from, claim.metadata, signal);
    // Gone; one of the same name that was made since has a key of its own.
    if (live?.metadata.uid !== uid) return done;
    // The watch will show it bound too; until then it must not be provisioned.
    if (live.spec?.volumeName) return done;
    memory.clearProgress(uid);
    return { kind: 'again', afterMs: 0 };
  }

  return async (uid, step, signal) => {
    log.debug(4, 'Next step of the claim', { uid, step: step.kind, reason: step.reason });
    switch (step.kind) {
      case 'ignore':
      case 'await':
        return done;
      case 'leaveToPopulator':
        events.leftToPopulator(step.claim);
        return done;
      case 'forget':
        memory.forget(uid);
        return done;
      case 'refuse':
      case 'retry':
        return turnDown(step);
      // Looked up before it comes here.
      case 'lookUp':
        return { kind: 'again', afterMs: 0 };
      case 'queueUp':
        return deps.nodeSteps?.queueUp(step.claim) ?? done;
      case 'contend':
        return (await deps.nodeSteps?.contend(step.claim, step.plan, signal)) ?? done;
      case 'delay':
        return { kind: 'again', afterMs: step.afterMs };
      case 'reschedule':
        return await reschedule(step.claim, step.node, step.reason, signal);
      case 'confirm':
        return await confirm(uid, step.claim, signal);
      case 'create':
        return await create(uid, step.plan, signal);
      case 'save':
        return await save(uid, step.plan, step, signal);
      case 'discard':
        return await discard(uid, step.plan, { volumeId: step.volumeId, why: step.why }, signal);
      default:
        return step satisfies never;
    }
  };
}
