import type { Draft, KubeObject, ObjectRef } from './object.ts';
import type { Patch } from './patches.ts';
import type { ListPage } from './reply.ts';
import type { Resource } from './resources.ts';
import type { WatchEvent } from './watch.ts';

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

export interface ListOptions extends CallOptions {
  /** All namespaces when left out. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Objects per page. */
  limit?: number;
  continueToken?: string;
  resourceVersion?: string;
  resourceVersionMatch?: 'NotOlderThan' | 'Exact';
}

export interface WatchOptions extends CallOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Where to resume; left out means from the server's present. */
  resourceVersion?: string;
  /** Asks for the whole list as events, then a bookmark with `isInitialEventsEnd`. */
  sendInitialEvents?: boolean;
  /** After which the server ends the watch. Random between 300 and 600 when left out, so that watches do not end together. */
  timeoutSeconds?: number;
}

export interface WriteOptions extends CallOptions {
  fieldManager?: string;
}

export interface PatchOptions extends WriteOptions {
  subresource?: 'status';
}

export interface DeleteOptions extends CallOptions {
  preconditions?: { uid?: string; resourceVersion?: string };
  gracePeriodSeconds?: number;
}

export interface RequestOptions extends CallOptions {
  query?: Readonly<Record<string, string | number | boolean | undefined>>;
  contentType?: string;
  headers?: Readonly<Record<string, string>>;
}

/** Kubernetes over REST. Every method throws KubeError, or `signal.reason` once the signal aborts. */
export interface KubeClient {
  get<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, options?: CallOptions): Promise<T>;
  list<T extends KubeObject>(resource: Resource<T>, options?: ListOptions): Promise<ListPage<T>>;
  /**
   * Events in order. Ends when the server ends the watch, which is normal: resume from the last resourceVersion. Throws
   * when the server says that the version is too old (`isExpired`), and when the connection breaks.
   */
  watch<T extends KubeObject>(resource: Resource<T>, options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
  create<T extends KubeObject>(resource: Resource<T>, object: Draft<T>, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, patch: Patch, options?: PatchOptions): Promise<T>;
  /**
   * A whole PUT, guarded by the object's resourceVersion. For leases, and for an object just read where a role grants `update`
   * and no `patch`; from a cache's projection it would erase what the cache does not keep.
   */
  replace<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, object: T, options?: WriteOptions): Promise<T>;
  delete(resource: Resource<KubeObject>, ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  /** For what has no method: discovery, other subresources. A body that is not JSON comes back as a string. */
  request(
    method: string,
    path: string,
    body?: unknown,
    options?: RequestOptions,
  ): Promise<{ status: number; body: unknown }>;
}
