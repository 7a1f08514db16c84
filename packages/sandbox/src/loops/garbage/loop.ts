import type { Outcome, Store } from '@holdfast/control';
import {
  csiNodes,
  csiStorageCapacities,
  isNotFound,
  type KubeObject,
  leases,
  objectKey,
  persistentVolumeClaims,
  pods,
  type Resource,
  splitKey,
} from '@holdfast/kube';
import { createLoop, type Loop, type LoopDeps } from '../loop.ts';
import { decideGarbage } from './decide.ts';
import { lookForOwner } from './owners.ts';

const done: Outcome = { kind: 'done' };

interface Dependents {
  readonly resource: Resource<KubeObject>;
  readonly store: Store<KubeObject>;
}

/** The garbage collector, in the background alone: what is owned goes with the last of its owners. */
export function createGarbageLoop(deps: LoopDeps): Loop {
  const { caches, client } = deps;
  const dependents: ReadonlyMap<string, Dependents> = new Map(
    [
      { resource: pods, store: caches.pods },
      { resource: persistentVolumeClaims, store: caches.claims },
      { resource: csiNodes, store: caches.csiNodes },
      { resource: leases, store: caches.nodeLeases },
      { resource: csiStorageCapacities, store: caches.capacities },
    ].map((one) => [one.resource.plural, one]),
  );
  const owners: readonly Store<KubeObject>[] = [
    caches.nodes,
    caches.pods,
    caches.claims,
    caches.volumes,
    caches.classes,
  ];

  async function reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const slash = key.indexOf('/');
    const kind = dependents.get(key.slice(0, slash));
    const object = kind?.store.get(key.slice(slash + 1));
    const references = object?.metadata.ownerReferences ?? [];
    if (kind === undefined || object === undefined || references.length === 0 || object.metadata.deletionTimestamp) {
      return done;
    }
    const { namespace, uid, resourceVersion } = object.metadata;
    const states = await Promise.all(
      references.map(async (reference) => ({
        reference,
        state: await lookForOwner(client, reference, namespace, signal),
      })),
    );
    const step = decideGarbage(states);
    const ref = splitKey(objectKey(object));
    try {
      switch (step.kind) {
        case 'keep':
          return done;
        case 'delete':
          deps.log.info('Removing what has no owner any more', { kind: kind.resource.kind, object: objectKey(object) });
          await client.delete(kind.resource, ref, { preconditions: { uid }, signal });
          return done;
        case 'disown': {
          const body = { metadata: { uid, resourceVersion, ownerReferences: step.left } };
          await client.patch(kind.resource, ref, { kind: 'merge', body }, { signal });
          return done;
        }
        default:
          return step satisfies never;
      }
    } catch (error) {
      if (isNotFound(error)) {
        return done;
      }
      // A conflict too: the object has changed meanwhile, and is looked at again.
      throw error;
    }
  }

  return createLoop(deps, {
    name: 'garbage-collector',
    workers: 2,
    reconcile,
    watch: (enqueue) => {
      const ownedBy = (object: KubeObject, uid: string) =>
        object.metadata.ownerReferences?.some((reference) => reference.uid === uid) === true;
      for (const [plural, { store }] of dependents) {
        const look = (object: KubeObject) => enqueue(`${plural}/${objectKey(object)}`);
        store.list().filter(hasOwners).forEach(look);
        store.subscribe((change) => {
          // A heartbeat of a lease is no news.
          if (
            change.kind === 'added' ||
            (change.kind === 'updated' && ownersOf(change.old) !== ownersOf(change.object))
          ) {
            if (hasOwners(change.object)) {
              look(change.object);
            }
          }
        });
      }
      for (const store of owners) {
        store.subscribe((change) => {
          if (change.kind !== 'deleted') {
            return;
          }
          const { uid } = change.object.metadata;
          for (const [plural, owned] of dependents) {
            for (const object of owned.store.list().filter((one) => ownedBy(one, uid))) {
              enqueue(`${plural}/${objectKey(object)}`);
            }
          }
        });
      }
    },
  });
}

function hasOwners({ metadata }: KubeObject): boolean {
  return (metadata.ownerReferences ?? []).length > 0;
}

function ownersOf({ metadata }: KubeObject): string {
  return (metadata.ownerReferences ?? []).map(({ uid }) => uid).join();
}
