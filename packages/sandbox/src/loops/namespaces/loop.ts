import type { Outcome } from '@holdfast/control';
import {
  events,
  isNotFound,
  type KubeObject,
  leases,
  persistentVolumeClaims,
  pods,
  type Resource,
  secrets,
} from '@holdfast/kube';
import { createLoop, type Loop, type LoopDeps, watchKeys } from '../loop.ts';

// Pods before claims: a claim stays as long as a pod uses it.
const contents: readonly Resource<KubeObject>[] = [pods, persistentVolumeClaims, secrets, leases, events];
const recheckMs = 500;

/** Empties a namespace that is being deleted, then lets it go. */
export function createNamespaceLoop(deps: LoopDeps): Loop {
  const { caches, client } = deps;

  async function reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const namespace = caches.namespaces.get(key);
    if (namespace?.metadata.deletionTimestamp === undefined) {
      return { kind: 'done' };
    }
    let left = 0;
    for (const resource of contents) {
      left += await deleteAll(resource, key, signal);
    }
    if (left > 0) {
      return { kind: 'again', afterMs: recheckMs };
    }
    await finalize(namespace, signal);
    return { kind: 'done' };
  }

  /** Returns how many are still there, those that wait for a finalizer included. */
  async function deleteAll(resource: Resource<KubeObject>, namespace: string, signal: AbortSignal): Promise<number> {
    const { items } = await client.list(resource, { namespace, signal });
    for (const { metadata } of items.filter((item) => item.metadata.deletionTimestamp === undefined)) {
      try {
        await client.delete(
          resource,
          { name: metadata.name, namespace },
          { preconditions: { uid: metadata.uid }, signal },
        );
      } catch (error) {
        if (!isNotFound(error)) {
          throw error;
        }
      }
    }
    return items.length;
  }

  async function finalize(namespace: KubeObject, signal: AbortSignal): Promise<void> {
    const { name } = namespace.metadata;
    const body = { ...namespace, apiVersion: 'v1', kind: 'Namespace', spec: { finalizers: [] } };
    try {
      await client.request('PUT', `/api/v1/namespaces/${name}/finalize`, body, { signal });
    } catch (error) {
      if (!isNotFound(error)) {
        throw error;
      }
    }
  }

  return createLoop(deps, {
    name: 'namespaces',
    workers: 1,
    reconcile,
    watch: (enqueue) => watchKeys(caches.namespaces, enqueue),
  });
}
