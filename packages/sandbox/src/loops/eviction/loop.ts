import type { Outcome } from '@holdfast/control';
import { systemClock } from '@holdfast/core';
import { isConflict, isNotFound, type Pod, pods } from '@holdfast/kube';
import { disruptionPatch } from '../disruption.ts';
import { createLoop, type Loop, type LoopDeps, watchKeys } from '../loop.ts';
import { reasons } from '../names.ts';
import { toleratedMs } from './decide.ts';

const done: Outcome = { kind: 'done' };

/** The taint eviction controller: deletes pods from nodes with NoExecute taints, each after the time it tolerates them. */
export function createEvictionLoop(deps: LoopDeps): Loop {
  const { caches, client } = deps;
  const clock = deps.clock ?? systemClock;
  /** When each pod, by uid, was first seen on a node that it has to leave. */
  const since = new Map<string, number>();

  async function reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const pod = caches.pods.get(key);
    const node = caches.nodes.get(pod?.spec?.nodeName ?? '');
    if (pod === undefined || node === undefined || pod.metadata.deletionTimestamp !== undefined) {
      return done;
    }
    const taints = (node.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
    const limitMs = taints.length === 0 ? undefined : toleratedMs(pod, taints);
    if (limitMs === undefined) {
      since.delete(pod.metadata.uid);
      return done;
    }
    const startMs = since.get(pod.metadata.uid) ?? clock.monotonicMs();
    since.set(pod.metadata.uid, startMs);
    const leftMs = startMs + limitMs - clock.monotonicMs();
    if (leftMs > 0) {
      return { kind: 'again', afterMs: leftMs };
    }
    await evict(pod, signal);
    return done;
  }

  async function evict(pod: Pod, signal: AbortSignal): Promise<void> {
    const { name, namespace = '', uid } = pod.metadata;
    const object = { kind: 'Pod', apiVersion: 'v1', metadata: pod.metadata };
    deps.recorder.event(
      object,
      'Normal',
      reasons.taintManagerEviction,
      `Marking for deletion Pod ${namespace}/${name}`,
    );
    const why = { reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint' };
    try {
      await client.patch(pods, { name, namespace }, disruptionPatch(pod, why, clock.nowMs()), {
        subresource: 'status',
        signal,
      });
      await client.delete(pods, { name, namespace }, { preconditions: { uid }, signal });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) {
        throw error;
      }
    }
  }

  return createLoop(deps, {
    name: 'taint-eviction',
    workers: 2,
    reconcile,
    watch: (enqueue) => {
      watchKeys(caches.pods, enqueue);
      caches.pods.subscribe((change) => {
        if (change.kind === 'deleted') {
          since.delete(change.object.metadata.uid);
        }
      });
      caches.nodes.subscribe(({ object }) =>
        caches.pods
          .byIndex('node', object.metadata.name)
          .forEach(({ metadata }) => enqueue(`${metadata.namespace ?? ''}/${metadata.name}`)),
      );
    },
  });
}
