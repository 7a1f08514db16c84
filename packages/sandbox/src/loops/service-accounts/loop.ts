import type { Outcome } from '@holdfast/control';
import { isAlreadyExists } from '@holdfast/kube';
import { createLoop, type Loop, type LoopDeps, watchKeys, watchStore } from '../loop.ts';
import { serviceAccounts } from './resource.ts';

const name = 'default';

/** Gives each namespace the account of the pods that name none, and gives it again when it is deleted. */
export function createServiceAccountLoop(deps: LoopDeps): Loop {
  const { caches, client } = deps;

  async function reconcile(namespace: string, signal: AbortSignal): Promise<Outcome> {
    const { status } = caches.namespaces.get(namespace) ?? {};
    if (status?.phase !== 'Active' || caches.serviceAccounts.get(`${namespace}/${name}`) !== undefined) {
      return { kind: 'done' };
    }
    try {
      await client.create(serviceAccounts, { metadata: { namespace, name } }, { signal });
    } catch (error) {
      if (!isAlreadyExists(error)) {
        throw error;
      }
    }
    return { kind: 'done' };
  }

  return createLoop(deps, {
    name: 'service-accounts',
    workers: 1,
    reconcile,
    watch: (enqueue) => {
      watchKeys(caches.namespaces, enqueue);
      watchStore(caches.serviceAccounts, ({ metadata }) => {
        if (metadata.name === name) {
          enqueue(metadata.namespace ?? '');
        }
      });
    },
  });
}
