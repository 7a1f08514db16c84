import type { Store } from '@holdfast/control';
import { isConflict, isNotFound, type KubeClient, type Pod, pods } from '@holdfast/kube';
import { includes } from '../includes.ts';

export interface StatusWriter {
  /** Writes the status when it differs from the last one written. */
  write(pod: Pod, status: NonNullable<Pod['status']>, signal: AbortSignal): Promise<void>;
  /** Tells the API that nothing of the pod is left here. */
  remove(pod: Pod, signal: AbortSignal): Promise<void>;
}

export function createStatusWriter(deps: { readonly client: KubeClient; readonly pods: Store<Pod> }): StatusWriter {
  return {
    write: async (pod, status, signal) => {
      const present = deps.pods.get(`${pod.metadata.namespace ?? ''}/${pod.metadata.name}`);
      if (present?.metadata.uid !== pod.metadata.uid || includes(present.status, status)) {
        return;
      }
      const ref = { name: pod.metadata.name, namespace: pod.metadata.namespace ?? '' };
      const patch = { kind: 'merge', body: { metadata: { uid: pod.metadata.uid }, status } } as const;
      try {
        deps.pods.applyWrite(await deps.client.patch(pods, ref, patch, { subresource: 'status', signal }));
      } catch (error) {
        ignoreGone(error);
      }
    },
    remove: async ({ metadata }, signal) => {
      const ref = { name: metadata.name, namespace: metadata.namespace ?? '' };
      const preconditions = { uid: metadata.uid };
      try {
        await deps.client.delete(pods, ref, { preconditions, gracePeriodSeconds: 0, signal });
      } catch (error) {
        ignoreGone(error);
      }
    },
  };
}

/** A pod that is gone, or another one under its name, needs no word from us. */
function ignoreGone(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error)) {
    throw error;
  }
}
