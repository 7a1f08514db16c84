import type { Outcome } from '@holdfast/control';
import {
  isNotFound,
  objectKey,
  type Patch,
  type PersistentVolumeClaim,
  type Pod,
  persistentVolumeClaims,
  pods,
} from '@holdfast/kube';
import { reserveVolume } from '../binding/steps.ts';
import { createLoop, type Loop, type LoopDeps, watchKeys } from '../loop.ts';
import { annotations, components, reasons } from '../names.ts';
import { isPodFinished } from '../pod-claims.ts';
import { type ClaimBinding, decidePod } from './decide.ts';
import { viewPod } from './view.ts';

const done: Outcome = { kind: 'done' };

/** Gives pods to nodes, and first tells the claims of delayed classes which node was chosen. */
export function createSchedulingLoop(deps: LoopDeps): Loop {
  const { caches, client } = deps;
  // One worker and this map: two pods never take the last place of a node.
  const assumed = new Map<string, string>();
  /** Where volumes are being made for a pod, by its uid: that is where it will run. */
  const chosen = new Map<string, string>();

  async function reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const pod = caches.pods.get(key);
    if (pod === undefined || !isForUs(pod) || assumed.has(pod.metadata.uid)) {
      return done;
    }
    const step = decidePod(viewPod(caches, pod, new Map([...chosen, ...assumed])));
    switch (step.kind) {
      case 'unschedulable':
        chosen.delete(pod.metadata.uid);
        await reportUnschedulable(pod, step.message, signal);
        return done;
      case 'bindClaims':
        chosen.set(pod.metadata.uid, step.nodeName);
        for (const binding of step.claims) {
          await bindClaim(binding, step.nodeName, signal);
        }
        // The pod is looked at again when a claim changes.
        return done;
      case 'bindPod':
        await bindPod(pod, step.nodeName, signal);
        return done;
      default:
        return step satisfies never;
    }
  }

  async function bindPod(pod: Pod, nodeName: string, signal: AbortSignal): Promise<void> {
    const { name, namespace = '', uid } = pod.metadata;
    const body = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, namespace, uid },
      target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
    };
    await client.request('POST', `/api/v1/namespaces/${namespace}/pods/${name}/binding`, body, { signal });
    assumed.set(uid, nodeName);
    notify(pod, 'Normal', reasons.scheduled, `Successfully assigned ${namespace}/${name} to ${nodeName}`);
  }

  async function bindClaim(binding: ClaimBinding, nodeName: string, signal: AbortSignal): Promise<void> {
    switch (binding.kind) {
      case 'reserve':
        await reserveVolume(deps, binding.claim, binding.volume, signal);
        return;
      case 'provision':
        await selectNode(binding.claim, nodeName, signal);
        return;
    }
  }

  async function selectNode(claim: PersistentVolumeClaim, nodeName: string, signal: AbortSignal): Promise<void> {
    if (claim.metadata.annotations?.[annotations.selectedNode] === nodeName) {
      return;
    }
    const { name, namespace = '', uid, resourceVersion } = claim.metadata;
    const metadata = { uid, resourceVersion, annotations: { [annotations.selectedNode]: nodeName } };
    const patch: Patch = { kind: 'merge', body: { metadata } };
    caches.claims.applyWrite(await client.patch(persistentVolumeClaims, { name, namespace }, patch, { signal }));
  }

  async function reportUnschedulable(pod: Pod, message: string, signal: AbortSignal): Promise<void> {
    const conditions = pod.status?.conditions ?? [];
    const present = conditions.find((condition) => condition.type === 'PodScheduled');
    if (present?.status === 'False' && present.message === message) {
      return;
    }
    notify(pod, 'Warning', reasons.failedScheduling, message);
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastTransitionTime: new Date().toISOString(),
    };
    const rest = conditions.filter(({ type }) => type !== 'PodScheduled');
    const { name, namespace = '', uid, resourceVersion } = pod.metadata;
    const body = { metadata: { uid, resourceVersion }, status: { phase: 'Pending', conditions: [...rest, condition] } };
    try {
      const written = await client.patch(
        pods,
        { name, namespace },
        { kind: 'merge', body },
        { subresource: 'status', signal },
      );
      caches.pods.applyWrite(written);
    } catch (error) {
      if (!isNotFound(error)) {
        throw error;
      }
    }
  }

  function notify(pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string): void {
    deps.recorder.event({ kind: 'Pod', apiVersion: 'v1', metadata: pod.metadata }, type, reason, message);
  }

  return createLoop(deps, {
    name: 'scheduler',
    workers: 1,
    reconcile,
    watch: (enqueue) => {
      const enqueueWaiting = () =>
        caches.pods
          .list()
          .filter(isForUs)
          .forEach((pod) => enqueue(objectKey(pod)));
      watchKeys(caches.pods, enqueue);
      caches.pods.subscribe(({ kind, object }) => {
        if (kind === 'deleted') {
          assumed.delete(object.metadata.uid);
          chosen.delete(object.metadata.uid);
        }
        if (kind === 'deleted' || isPodFinished(object)) {
          enqueueWaiting();
        }
      });
      caches.claims.subscribe(enqueueWaiting);
      caches.volumes.subscribe(enqueueWaiting);
      caches.classes.subscribe(enqueueWaiting);
      caches.nodes.subscribe(enqueueWaiting);
      caches.csiNodes.subscribe(enqueueWaiting);
      caches.csiDrivers.subscribe(enqueueWaiting);
      caches.capacities.subscribe(enqueueWaiting);
      caches.attachments.subscribe(enqueueWaiting);
    },
  });
}

/** A pod that still needs a node, and names no other scheduler. */
function isForUs(pod: Pod): boolean {
  const scheduler = pod.spec?.schedulerName ?? '';
  return (
    (pod.spec?.nodeName ?? '') === '' &&
    pod.metadata.deletionTimestamp === undefined &&
    !isPodFinished(pod) &&
    (pod.spec?.schedulingGates ?? []).length === 0 &&
    (scheduler === '' || scheduler === components.scheduler)
  );
}
