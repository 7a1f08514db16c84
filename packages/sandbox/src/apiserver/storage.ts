import type { ApiObject } from './objects.ts';
import { keyOf, withResourceVersion } from './objects.ts';
import { expired } from './status.ts';

/** One committed change. Every revision is exactly one event, which makes the history an array indexed by revision. */
export interface StoredEvent {
  readonly revision: number;
  /** 'group/plural', see {@link Kind.storageName}. */
  readonly resource: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** For DELETED: the last state, with the revision of the deletion. */
  readonly object: ApiObject;
  readonly previous: ApiObject | undefined;
}

/** A change before it takes effect: the new state of an object, or the key of one that goes. */
export type Change = { readonly revision: number; readonly resource: string } & (
  | { readonly object: ApiObject }
  | { readonly removed: string }
);

/** All that is stored at a time. */
export interface StoredState {
  readonly revision: number;
  readonly objects: readonly { readonly resource: string; readonly object: ApiObject }[];
}

export interface StorageOptions {
  readonly historySize: number;
  /** What to begin with; its history is gone. */
  readonly restored?: StoredState;
  /** Called with each change; it takes effect unless this throws. */
  readonly keep?: (change: Change) => void;
}

/** All objects, the one revision counter, and a bounded history to resume watches and pages from. Synchronous. */
export interface Storage {
  readonly revision: number;
  /** A watch or a page may start from this revision or a later one; before it the history is gone. */
  readonly compactedRevision: number;
  get(resource: string, key: string): ApiObject | undefined;
  /** Sorted by key, as a range read of etcd is. `namespace` undefined means all. */
  list(resource: string, namespace?: string): ApiObject[];
  /** The state as it was at a revision. Throws 410 when that has been compacted away. */
  listAt(resource: string, revision: number, namespace?: string): ApiObject[];
  put(resource: string, object: ApiObject): ApiObject;
  /** Whether it is stored as it was created; nobody knows that any more of one of an earlier run. */
  isAsCreated(object: ApiObject): boolean;
  remove(resource: string, key: string): ApiObject | undefined;
  /** The event of a revision, or `undefined` when it is in the future or compacted. */
  eventAt(revision: number): StoredEvent | undefined;
  /** Forgets the history up to and including a revision (default: all of it). */
  compact(revision?: number): void;
  /** Calls the listener after each commit and each compaction. Returns the unsubscribe function. */
  onChange(listener: () => void): () => void;
}

export function createStorage(options: StorageOptions): Storage {
  const objects = new Map<string, Map<string, ApiObject>>();
  const listeners = new Set<() => void>();
  const asCreated = new WeakSet<ApiObject>();
  let history: StoredEvent[] = [];
  let revision = options.restored?.revision ?? 0;
  let compactedRevision = revision;

  const table = (resource: string): Map<string, ApiObject> => {
    const existing = objects.get(resource);
    if (existing !== undefined) return existing;
    const made = new Map<string, ApiObject>();
    objects.set(resource, made);
    return made;
  };

  for (const { resource, object } of options.restored?.objects ?? []) table(resource).set(keyOf(object), object);

  const notify = (): void => {
    for (const listener of listeners) listener();
  };

  const compact = (upTo = revision): void => {
    const drop = Math.min(upTo, revision) - compactedRevision;
    if (drop <= 0) return;
    history = history.slice(drop);
    compactedRevision += drop;
  };

  const commit = (event: StoredEvent): void => {
    history.push(event);
    // A quarter of slack, so that a full history is not copied at every write.
    if (history.length > options.historySize * 1.25) compact(revision - options.historySize);
    notify();
  };

  const eventAt = (wanted: number): StoredEvent | undefined => history[wanted - compactedRevision - 1];

  const sorted = (from: Map<string, ApiObject>, namespace: string | undefined): ApiObject[] =>
    [...from]
      .filter(([, object]) => namespace === undefined || object.metadata.namespace === namespace)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object);

  return {
    get revision() {
      return revision;
    },
    get compactedRevision() {
      return compactedRevision;
    },
    get: (resource, key) => objects.get(resource)?.get(key),
    list: (resource, namespace) => sorted(table(resource), namespace),
    listAt(resource, wanted, namespace) {
      if (wanted < compactedRevision)
        throw expired('The provided continue parameter is too old to display a consistent list result.');
      const past = new Map(table(resource));
      for (let at = revision; at > wanted; at--) {
        const event = eventAt(at);
        if (event === undefined || event.resource !== resource) continue;
        if (event.previous === undefined) past.delete(keyOf(event.object));
        else past.set(keyOf(event.object), event.previous);
      }
      return sorted(past, namespace);
    },
    put(resource, object) {
      const key = keyOf(object);
      const previous = table(resource).get(key);
      const stored = withResourceVersion(object, revision + 1);
      options.keep?.({ revision: revision + 1, resource, object: stored });
      revision += 1;
      table(resource).set(key, stored);
      if (previous === undefined) asCreated.add(stored);
      commit({ revision, resource, type: previous === undefined ? 'ADDED' : 'MODIFIED', object: stored, previous });
      return stored;
    },
    remove(resource, key) {
      const previous = table(resource).get(key);
      if (previous === undefined) return undefined;
      options.keep?.({ revision: revision + 1, resource, removed: key });
      revision += 1;
      table(resource).delete(key);
      const last = withResourceVersion(previous, revision);
      commit({ revision, resource, type: 'DELETED', object: last, previous });
      return last;
    },
    isAsCreated: (object) => asCreated.has(object),
    eventAt,
    compact(upTo) {
      compact(upTo);
      notify();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
