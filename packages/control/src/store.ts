import { type KubeObject, objectKey } from '@holdfast/kube';
import { createIndexes, type IndexFunctions } from './indexes.ts';
import { isNewerVersion, isOlderVersion } from './resource-version.ts';

export type StoreChange<T> =
  | { kind: 'added'; object: T }
  | { kind: 'updated'; object: T; old: T }
  | { kind: 'deleted'; object: T };

/** What a controller sees of a collection. Objects are shared: never change one in place. */
export interface Store<T> {
  get(key: string): T | undefined;
  list(): readonly T[];
  byIndex(index: string, value: string): readonly T[];
  /** Takes over the reply of a write, so that the next look sees it. An older watch event does not undo it. */
  applyWrite(object: T): void;
  /** Takes over the success of a delete that left nothing behind. Older watch events do not bring the object back. */
  applyDelete(key: string, uid: string): void;
  readonly size: number;
  /** Reports every change from now on, after the store holds it. A listener must not throw. */
  subscribe(listener: (change: StoreChange<T>) => void): () => void;
}

/** The watch's side of a store. */
export interface StoreWriter<T> {
  applyEvent(object: T): void;
  applyDeletedEvent(object: T): void;
  applyBookmark(resourceVersion: string): void;
  /** What the store would keep of an object. Who gathers a list gathers this, so that no whole objects pile up meanwhile. */
  keep(object: T): T;
  /**
   * Swaps in a complete list at once; listeners hear of the difference, missed deletes included, afterwards.
   * @param kept what {@link keep} returned for each object
   */
  replaceAll(kept: Iterable<T>, resourceVersion: string): void;
}

export interface StoreOptions<T> {
  project?: (object: T) => T;
  /** Asked of each object after `project`. Those that it says no to are, for whoever looks, not there. */
  isKept?: (object: T) => boolean;
  indexes?: IndexFunctions<T>;
  /** Hears of a listener that threw; without it the error ends the process, as any bug should. */
  onListenerError?: (error: unknown) => void;
}

export function createStore<T extends KubeObject>(options: StoreOptions<T> = {}): Store<T> & StoreWriter<T> {
  const objects = new Map<string, T>();
  const indexes = createIndexes<T>(options.indexes ?? {});
  const listeners = new Set<(change: StoreChange<T>) => void>();
  // Keys whose object came with the reply of a write and was not yet shown by the watch.
  const unconfirmed = new Set<string>();
  // Uids this process deleted, until the watch has said so too. A uid never comes back.
  const deletedUids = new Set<string>();
  // How far the watch has come. '' before the first list.
  let observedVersion = '';

  function keep(object: T): T {
    return options.project ? options.project(object) : object;
  }

  function isKept(kept: T): boolean {
    return options.isKept?.(kept) ?? true;
  }

  function observe(resourceVersion: string): void {
    if (isNewerVersion(resourceVersion, observedVersion)) observedVersion = resourceVersion;
  }

  function put(key: string, object: T): StoreChange<T>[] {
    const old = objects.get(key);
    if (!isKept(object)) return old ? drop(key, old) : [];
    if (old) indexes.remove(key, old);
    objects.set(key, object);
    indexes.insert(key, object);
    if (!old) return [{ kind: 'added', object }];
    if (old.metadata.uid === object.metadata.uid) return [{ kind: 'updated', object, old }];
    return [
      { kind: 'deleted', object: old },
      { kind: 'added', object },
    ];
  }

  function drop(key: string, old: T): StoreChange<T>[] {
    objects.delete(key);
    indexes.remove(key, old);
    unconfirmed.delete(key);
    return [{ kind: 'deleted', object: old }];
  }

  function notify(changes: readonly StoreChange<T>[]): void {
    for (const change of changes) {
      for (const listener of listeners) {
        try {
          listener(change);
        } catch (error) {
          if (!options.onListenerError) throw error;
          options.onListenerError(error);
        }
      }
    }
  }

  function isNewer(object: T, than: T): boolean {
    return isNewerVersion(object.metadata.resourceVersion, than.metadata.resourceVersion);
  }

  function isOlder(object: T, than: T): boolean {
    return isOlderVersion(object.metadata.resourceVersion, than.metadata.resourceVersion);
  }

  return {
    get: (key) => objects.get(key),
    list: () => [...objects.values()],
    byIndex(index, value) {
      const found: T[] = [];
      for (const key of indexes.keys(index, value)) {
        const object = objects.get(key);
        if (object) found.push(object);
      }
      return found;
    },
    get size() {
      return objects.size;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    applyWrite(object) {
      if (deletedUids.has(object.metadata.uid)) return;
      const key = objectKey(object);
      const old = objects.get(key);
      if (old && !isNewer(object, old)) return;
      // The watch is past this version and shows no such object: it was deleted while the reply was on its way.
      if (!old && observedVersion !== '' && !isNewerVersion(object.metadata.resourceVersion, observedVersion)) return;
      const changes = put(key, keep(object));
      if (objects.has(key)) unconfirmed.add(key);
      notify(changes);
    },
    applyDelete(key, uid) {
      const old = objects.get(key);
      if (old?.metadata.uid !== uid) return;
      deletedUids.add(uid);
      notify(drop(key, old));
    },

    applyEvent(object) {
      observe(object.metadata.resourceVersion);
      if (deletedUids.has(object.metadata.uid)) return;
      const key = objectKey(object);
      const old = objects.get(key);
      if (old && isOlder(object, old)) return;
      unconfirmed.delete(key);
      if (old && !isNewer(object, old)) return;
      notify(put(key, keep(object)));
    },
    applyDeletedEvent(object) {
      observe(object.metadata.resourceVersion);
      deletedUids.delete(object.metadata.uid);
      const key = objectKey(object);
      const old = objects.get(key);
      // Newer than its own deletion: an object made since under the same name.
      if (!old || isOlder(object, old)) return;
      notify(drop(key, old));
    },
    applyBookmark: observe,
    keep,
    replaceAll(listed, resourceVersion) {
      const next = new Map<string, T>();
      const listedUids = new Set<string>();
      for (const object of listed) {
        listedUids.add(object.metadata.uid);
        if (!deletedUids.has(object.metadata.uid) && isKept(object)) next.set(objectKey(object), object);
      }
      for (const uid of deletedUids) if (!listedUids.has(uid)) deletedUids.delete(uid);
      observedVersion = resourceVersion;

      const changes: StoreChange<T>[] = [];
      for (const [key, old] of objects) {
        if (next.has(key)) continue;
        // Written by this process after the list was taken; the watch that follows has the last word.
        if (unconfirmed.has(key) && isOlderVersion(resourceVersion, old.metadata.resourceVersion)) continue;
        changes.push(...drop(key, old));
      }
      for (const [key, object] of next) {
        const old = objects.get(key);
        if (old && unconfirmed.has(key) && isOlder(object, old)) continue;
        unconfirmed.delete(key);
        const isSame =
          old?.metadata.uid === object.metadata.uid && old.metadata.resourceVersion === object.metadata.resourceVersion;
        if (!isSame) changes.push(...put(key, object));
      }
      notify(changes);
    },
  };
}
