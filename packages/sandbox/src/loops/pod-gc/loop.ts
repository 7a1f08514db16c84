import { runPeriodically } from '@holdfast/control';
import { errorMessage, systemClock } from '@holdfast/core';
import { isConflict, isNotFound, nodes, type Pod, pods } from '@holdfast/kube';
import { disruptionPatch } from '../disruption.ts';
import type { Loop, LoopDeps } from '../loop.ts';
import { isOutOfService, isReady } from '../node-health.ts';
import { isPodFinished } from '../pod-claims.ts';

const name = 'pod-gc';
const nodeGone = { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' };

/** The pod garbage collector: removes pods that no kubelet will ever take down. */
export function createPodGcLoop(deps: LoopDeps): Loop {
  const { caches, client, periods } = deps;
  const clock = deps.clock ?? systemClock;
  const log = deps.log.child({ loop: name });
  /** Nodes that pods name and that are not there, and since when: a new node's pods may be seen before it. */
  const missingSinceMs = new Map<string, number>();

  async function round(signal: AbortSignal): Promise<void> {
    const goneNodes = await findGoneNodes(signal);
    for (const pod of caches.pods.list()) {
      const nodeName = pod.spec?.nodeName ?? '';
      const node = caches.nodes.get(nodeName);
      const isTerminating = pod.metadata.deletionTimestamp !== undefined;
      if (goneNodes.has(nodeName)) {
        await remove(pod, nodeGone, signal);
      } else if (isTerminating && (nodeName === '' || (node !== undefined && !isReady(node) && isOutOfService(node)))) {
        await remove(pod, undefined, signal);
      }
    }
  }

  async function findGoneNodes(signal: AbortSignal): Promise<ReadonlySet<string>> {
    const named = new Set(caches.pods.list().flatMap(({ spec }) => spec?.nodeName || []));
    const missing = [...named].filter((nodeName) => caches.nodes.get(nodeName) === undefined);
    for (const nodeName of missingSinceMs.keys()) {
      if (!missing.includes(nodeName)) {
        missingSinceMs.delete(nodeName);
      }
    }
    const gone = new Set<string>();
    for (const nodeName of missing) {
      const sinceMs = missingSinceMs.get(nodeName) ?? clock.monotonicMs();
      missingSinceMs.set(nodeName, sinceMs);
      // The cache may be behind, and this cannot be taken back.
      if (clock.monotonicMs() - sinceMs >= 2 * periods.podGcMs && !(await isThere(nodeName, signal))) {
        gone.add(nodeName);
      }
    }
    return gone;
  }

  async function isThere(nodeName: string, signal: AbortSignal): Promise<boolean> {
    try {
      await client.get(nodes, { name: nodeName }, { signal });
      return true;
    } catch (error) {
      if (isNotFound(error)) {
        return false;
      }
      throw error;
    }
  }

  async function remove(pod: Pod, why: typeof nodeGone | undefined, signal: AbortSignal): Promise<void> {
    const { uid, namespace = '' } = pod.metadata;
    const ref = { name: pod.metadata.name, namespace };
    const options = { subresource: 'status', signal } as const;
    log.info('Removing a pod that no kubelet takes down', {
      pod: `${namespace}/${ref.name}`,
      node: pod.spec?.nodeName,
    });
    try {
      if (why !== undefined) {
        const phase = isPodFinished(pod) ? undefined : 'Failed';
        await client.patch(pods, ref, disruptionPatch(pod, why, clock.nowMs(), phase), options);
      } else if (!isPodFinished(pod)) {
        const body = { metadata: { uid }, status: { phase: 'Failed' } };
        await client.patch(pods, ref, { kind: 'merge', body }, options);
      }
      await client.delete(pods, ref, { preconditions: { uid }, gracePeriodSeconds: 0, signal });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) {
        throw error;
      }
    }
  }

  return {
    name,
    run: (signal) =>
      runPeriodically({
        periodMs: periods.podGcMs,
        isFirstAtOnce: true,
        clock,
        signal,
        act: async () => {
          try {
            await round(signal);
          } catch (error) {
            if (!signal.aborted) {
              log.warn('Pods could not be looked through and are the next time', { error: errorMessage(error) });
            }
          }
        },
      }),
  };
}
