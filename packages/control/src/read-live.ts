import { isNotFound, type KubeClient, type KubeObject, type ObjectRef, objectKey, type Resource } from '@holdfast/kube';
import type { Store } from './store.ts';

/**
 * Asks the API server itself about one object, for a decision that a cache that lags behind must not make, and lets the
 * cache know the answer.
 * @returns the whole object; undefined when there is none
 */
export async function readLive<T extends KubeObject>(
  from: { readonly client: KubeClient; readonly resource: Resource<T>; readonly store: Store<T> },
  { name, namespace }: ObjectRef,
  signal: AbortSignal,
): Promise<T | undefined> {
  const { client, resource, store } = from;
  const ref = namespace === undefined ? { name } : { name, namespace };
  const key = objectKey({ metadata: ref });
  const known = store.get(key);
  try {
    const live = await client.get(resource, ref, { signal });
    store.applyWrite(live);
    return live;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    // What was known before the question was asked is gone; one made since is not.
    if (known) store.applyDelete(key, known.metadata.uid);
    return undefined;
  }
}
