import type { Outcome } from '@holdfast/control';
import { isNotFound, type KubeObject } from '@holdfast/kube';
import * as z from 'zod';
import { createLoop, type Loop, type LoopDeps, watchKeys } from '../loop.ts';

const groupsShape = z.object({
  groups: z.array(z.object({ preferredVersion: z.object({ groupVersion: z.string() }) })),
});
const resourcesShape = z.object({
  resources: z.array(z.object({ name: z.string(), namespaced: z.boolean(), verbs: z.array(z.string()) })),
});
const listShape = z.object({ items: z.array(z.unknown()) });

const recheckMs = 500;

/** Empties a namespace that is being deleted, of every kind the server knows, then lets it go. */
export function createNamespaceLoop(deps: LoopDeps): Loop {
  const { caches, client } = deps;

  async function reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const namespace = caches.namespaces.get(key);
    if (namespace?.metadata.deletionTimestamp === undefined) {
      return { kind: 'done' };
    }
    let left = 0;
    for (const path of await collections(key, signal)) {
      await client.request('DELETE', path, undefined, { signal });
      const { items } = listShape.parse(await read(path, signal));
      // Those that wait for a finalizer, or for their pod's kubelet, are looked for again.
      left += items.length;
    }
    if (left > 0) {
      return { kind: 'again', afterMs: recheckMs };
    }
    await finalize(namespace, signal);
    return { kind: 'done' };
  }

  /** The path of every collection in the namespace, as discovery tells them. */
  async function collections(namespace: string, signal: AbortSignal): Promise<readonly string[]> {
    const { groups } = groupsShape.parse(await read('/apis', signal));
    const roots = ['/api/v1', ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`)];
    const found: string[] = [];
    for (const root of roots) {
      const { resources } = resourcesShape.parse(await read(root, signal));
      const deletable = resources.filter(({ namespaced, verbs }) => namespaced && verbs.includes('deletecollection'));
      found.push(...deletable.map(({ name }) => `${root}/namespaces/${namespace}/${name}`));
    }
    return found;
  }

  async function read(path: string, signal: AbortSignal): Promise<unknown> {
    return (await client.request('GET', path, undefined, { signal })).body;
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
