import {
  addFinalizerPatch,
  isForbidden,
  type KubeClient,
  type KubeObject,
  type Resource,
  removeFinalizerPatch,
} from '@holdfast/kube';

/**
 * Adds or removes one finalizer of an object just read. Roles written for the Go sidecar grant `update` on claims and snapshots
 * and not `patch`; there the object goes back whole, as the server gave it, guarded by its resourceVersion.
 */
export async function changeFinalizer<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  live: T,
  change: { readonly finalizer: string; readonly isWanted: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { finalizer, isWanted, signal } = change;
  const { name, namespace = '' } = live.metadata;
  const ref = { name, namespace };
  const patch = isWanted ? addFinalizerPatch(live, finalizer) : removeFinalizerPatch(live, finalizer);
  if (!patch) return;
  try {
    await client.patch(resource, ref, patch, { signal });
  } catch (error) {
    if (!isForbidden(error)) throw error;
    const others = (live.metadata.finalizers ?? []).filter((each) => each !== finalizer);
    const finalizers = isWanted ? [...others, finalizer] : others;
    await client.replace(resource, ref, { ...live, metadata: { ...live.metadata, finalizers } }, { signal });
  }
}
