import { untilAborted } from '@holdfast/core';
import type { KubeObject, Resource } from '@holdfast/kube';
import type { IndexFunctions } from './indexes.ts';
import { mergeKept } from './merge-kept.ts';
import { createReflector, type Reflector, type ReflectorDeps } from './reflector.ts';
import type { Store, StoreChange } from './store.ts';

/** How a controller comes by its caches: `createReflector` itself, or {@link createSharedReflectors}. */
export type CreateReflector = <T extends KubeObject>(deps: ReflectorDeps<T>) => Reflector<T>;

/**
 * Caches for several controllers in one process: one watch per collection, and each object once, with what any of them
 * keeps of it. Each sees the collection with its own indexes; one that never runs its reflector sees it empty, and nothing
 * is kept for it.
 *
 * Reflectors of one collection must start to run together, before the first object comes: what is projected away is gone.
 * One with `isKept` is not shared.
 */
export function createSharedReflectors(): CreateReflector {
  const collections: { readonly resource: object; readonly scope: string }[] = [];
  return <T extends KubeObject>(deps: ReflectorDeps<T>) => {
    if (deps.isKept) return createReflector(deps);
    const scope = JSON.stringify([deps.namespace, deps.labelSelector, deps.fieldSelector]);
    let collection = collections.find((each) => isOf(each, deps.resource, scope));
    if (!collection) {
      collection = createCollection(deps, scope);
      collections.push(collection);
    }
    return isOf(collection, deps.resource, scope) ? collection.join(deps) : createReflector(deps);
  };
}

interface Collection<T extends KubeObject> {
  readonly resource: Resource<T>;
  readonly scope: string;
  join(deps: ReflectorDeps<T>): Reflector<T>;
}

function isOf<T extends KubeObject>(
  collection: { readonly resource: object; readonly scope: string },
  resource: Resource<T>,
  scope: string,
): collection is Collection<T> {
  return collection.resource === resource && collection.scope === scope;
}

/** One controller's part of a collection. */
interface View<T extends KubeObject> {
  readonly deps: ReflectorDeps<T>;
  readonly number: number;
  isRunning: boolean;
  /** Called once there is a store. */
  readonly onStart: Set<(store: Store<T>) => void>;
}

interface Source<T extends KubeObject> {
  readonly reflector: Reflector<T>;
  readonly stopping: AbortController;
  readonly ended: Promise<void>;
  /** Those whose indexes it has. */
  readonly views: ReadonlySet<View<T>>;
  users: number;
}

function createCollection<T extends KubeObject>(first: ReflectorDeps<T>, scope: string): Collection<T> {
  const { resource } = first;
  const views: View<T>[] = [];
  let source: Source<T> | undefined;
  let hasObjects = false;

  function keptByAny(object: T): T {
    hasObjects = true;
    let kept: T | undefined;
    for (const { isRunning, deps } of views) {
      if (!isRunning) continue;
      const its = deps.project ? deps.project(object) : object;
      kept = kept === undefined ? its : mergeKept(kept, its);
    }
    return kept ?? object;
  }

  function start(): Source<T> {
    const indexes: IndexFunctions<T> = Object.fromEntries(
      views.flatMap((view) =>
        Object.entries(view.deps.indexes ?? {}).map(([name, valuesOf]) => [
          indexName(view, name),
          (object: T) => (view.isRunning ? valuesOf(object) : []),
        ]),
      ),
    );
    const reflector = createReflector<T>({ ...first, project: keptByAny, indexes });
    const stopping = new AbortController();
    for (const view of views) for (const tell of view.onStart) tell(reflector.store);
    return { reflector, stopping, ended: reflector.run(stopping.signal), views: new Set(views), users: 0 };
  }

  /** @throws Error when the view comes too late: an object that is kept already lacks what it would have kept */
  async function run(view: View<T>, signal: AbortSignal): Promise<void> {
    if (hasObjects || source?.views.has(view) === false)
      throw new Error(`a cache of ${resource.plural} was started after those it is shared with`);
    view.isRunning = true;
    source ??= start();
    const its = source;
    its.users += 1;
    await untilAborted(signal);
    its.users -= 1;
    if (its.users > 0) return;
    its.stopping.abort(signal.reason);
    await its.ended;
  }

  return {
    resource,
    scope,
    join(deps) {
      const view: View<T> = { deps, number: views.length, isRunning: false, onStart: new Set() };
      views.push(view);
      const { promise: synced, resolve, reject } = Promise.withResolvers<void>();
      synced.catch(() => {});
      return {
        store: storeOf(view, () => source?.reflector.store),
        synced,
        get hasSynced() {
          return view.isRunning && source?.reflector.hasSynced === true;
        },
        state: () => (view.isRunning ? source?.reflector.state() : undefined) ?? { kind: 'empty' },
        async run(signal) {
          if (!signal.aborted) {
            const running = run(view, signal);
            source?.reflector.synced.then(resolve, reject);
            await running;
          }
          reject(signal.reason);
        },
      };
    },
  };
}

/** Views may have indexes of one name that mean different things. */
function indexName(view: { readonly number: number }, name: string): string {
  return `${view.number} ${name}`;
}

function storeOf<T extends KubeObject>(view: View<T>, find: () => Store<T> | undefined): Store<T> {
  const seen = (): Store<T> | undefined => (view.isRunning ? find() : undefined);
  return {
    get: (key) => seen()?.get(key),
    list: () => seen()?.list() ?? [],
    byIndex: (index, value) => seen()?.byIndex(indexName(view, index), value) ?? [],
    applyWrite: (object) => seen()?.applyWrite(object),
    applyDelete: (key, uid) => seen()?.applyDelete(key, uid),
    get size() {
      return seen()?.size ?? 0;
    },
    subscribe(listener) {
      const tell = (change: StoreChange<T>): void => {
        if (view.isRunning) listener(change);
      };
      const store = find();
      if (store) return store.subscribe(tell);
      let unsubscribe: (() => void) | undefined;
      const onStart = (started: Store<T>): void => {
        unsubscribe = started.subscribe(tell);
      };
      view.onStart.add(onStart);
      return () => {
        view.onStart.delete(onStart);
        unsubscribe?.();
      };
    },
  };
}
