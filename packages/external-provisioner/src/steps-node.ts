import type { Outcome, Store } from '@holdfast/control';
import type { Logger } from '@holdfast/core';
import {
  escapeJsonPointer,
  isConflict,
  isForbidden,
  isInvalid,
  isNotFound,
  type KubeClient,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  sameVersion,
} from '@holdfast/kube';
import { rpcErrorText } from '@holdfast/rpc';
import type { Contention } from './contention.ts';
import type { CsiCalls } from './csi-calls.ts';
import { annotations } from './names.ts';
import type { NodeRole } from './node-role.ts';
import type { VolumePlan } from './plan.ts';

export interface NodeSteps {
  /** Takes the claim for this node, if the driver has room. Whoever loses is told nothing: the winner tells the user. */
  contend(claim: PersistentVolumeClaim, plan: VolumePlan | undefined, signal: AbortSignal): Promise<Outcome>;
  queueUp(claim: PersistentVolumeClaim): Outcome;
}

/** How a claim that nobody has chosen a node for gets one, where each node has a provisioner of its own. */
export function createNodeSteps(deps: {
  client: KubeClient;
  calls: CsiCalls;
  claims: Store<PersistentVolumeClaim>;
  contention: Contention;
  role: NodeRole;
  log: Logger;
}): NodeSteps {
  const { client, calls, claims, contention, role, log } = deps;

  async function hasRoom(plan: VolumePlan, signal: AbortSignal): Promise<boolean> {
    const { requisite = [] } = plan.request.accessibilityRequirements ?? {};
    const places = requisite.length === 0 ? [undefined] : requisite;
    for (const place of places) {
      const capacity = await calls.getCapacity(plan.request, place, signal);
      if (capacity.kind === 'failed') throw new Error(rpcErrorText(capacity.error));
      if (capacity.availableBytes >= plan.requestedBytes) return true;
    }
    return false;
  }

  async function select(claim: PersistentVolumeClaim, signal: AbortSignal): Promise<PersistentVolumeClaim> {
    const { name, namespace = '' } = claim.metadata;
    const ref = { name, namespace };
    const path = `/metadata/annotations/${escapeJsonPointer(annotations.selectedNode)}`;
    try {
      const operations = [sameVersion(claim), { op: 'add', path, value: role.nodeName } as const];
      return await client.patch(persistentVolumeClaims, ref, { kind: 'json', operations }, { signal });
    } catch (error) {
      if (!isForbidden(error)) throw error;
    }
    // Roles written for the Go sidecar grant `update` on claims and not `patch`. Its resourceVersion guards the whole.
    const live = await client.get(persistentVolumeClaims, ref, { signal });
    const given = live.metadata.annotations ?? {};
    if (live.metadata.uid !== claim.metadata.uid || given[annotations.selectedNode]) return live;
    const body = {
      ...live,
      metadata: { ...live.metadata, annotations: { ...given, [annotations.selectedNode]: role.nodeName } },
    };
    return await client.replace(persistentVolumeClaims, ref, body, { signal });
  }

  return {
    queueUp: (claim) => ({ kind: 'again', afterMs: contention.queueUp(claim.metadata.uid) }),
    async contend(claim, plan, signal) {
      const { uid, name, namespace } = claim.metadata;
      if (plan && !(await hasRoom(plan, signal))) {
        log.debug(2, 'No room on this node for the claim', { claim: `${namespace}/${name}` });
        return { kind: 'again', afterMs: contention.rest(uid) };
      }
      try {
        const updated = await select(claim, signal);
        contention.forget(uid);
        claims.applyWrite(updated);
        return { kind: 'again', afterMs: 0 };
      } catch (error) {
        if (isNotFound(error)) return { kind: 'done' };
        // The claim has changed under us: most often another node has taken it.
        if (isConflict(error) || isInvalid(error)) return { kind: 'again', afterMs: contention.queueUp(uid) };
        throw error;
      }
    },
  };
}
