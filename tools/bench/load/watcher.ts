import { createReflector, groupReflectors, type Store, type StoreChange } from '@holdfast/control';
import { DeadlineError, silentLogger } from '@holdfast/core';
import {
  type KubeClient,
  type KubeObject,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  type VolumeAttachment,
  volumeAttachments,
} from '@holdfast/kube';

/** What the load generator sees of the cluster, by watches of its own. */
export interface Watcher {
  readonly claims: Store<PersistentVolumeClaim>;
  readonly volumes: Store<PersistentVolume>;
  readonly attachments: Store<VolumeAttachment>;
  stop(): Promise<void>;
}

export async function startWatcher(client: KubeClient): Promise<Watcher> {
  const ended = new AbortController();
  const deps = { client, log: silentLogger };
  const claims = createReflector({ ...deps, resource: persistentVolumeClaims });
  const volumes = createReflector({ ...deps, resource: persistentVolumes });
  const attachments = createReflector({ ...deps, resource: volumeAttachments });
  const group = groupReflectors({ claims, volumes, attachments });
  const running = Promise.all(Object.values(group.tasks).map((run) => run(ended.signal)));
  await group.synced;
  return {
    claims: claims.store,
    volumes: volumes.store,
    attachments: attachments.store,
    async stop() {
      ended.abort();
      await running;
    },
  };
}

/** Objects may take their time, one after the other; that none at all comes for so long is a failure. */
const standstillMs = 60_000;

export interface Arrivals {
  /** When each key was reached, by this process's monotonic clock. */
  readonly atMs: ReadonlyMap<string, number>;
  /** Settles when all were reached. Rejects when nothing happens for a minute. */
  readonly all: Promise<void>;
}

/**
 * Notes when each of `keys` is first reached.
 * @param reached says which key a change completes, if any
 */
export function noteArrivals<T extends KubeObject>(
  store: Store<T>,
  keys: readonly string[],
  reached: (change: StoreChange<T>) => string | undefined,
  { what, signal }: { readonly what: string; readonly signal: AbortSignal },
): Arrivals {
  const awaited = new Set(keys);
  const atMs = new Map<string, number>();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onStandstill = (): void =>
    reject(
      new Error(`${awaited.size} of ${keys.length} objects are not ${what}, and none came for a minute`, {
        cause: new DeadlineError(standstillMs),
      }),
    );
  let timer = setTimeout(onStandstill, standstillMs);
  const unsubscribe = store.subscribe((change) => {
    const key = reached(change);
    if (key === undefined || !awaited.delete(key)) return;
    atMs.set(key, performance.now());
    clearTimeout(timer);
    if (awaited.size === 0) resolve();
    else timer = setTimeout(onStandstill, standstillMs);
  });
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const all = promise.finally(() => {
    unsubscribe();
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  });
  // Whoever starts the work may fail before it waits for this.
  all.catch(() => {});
  return { atMs, all };
}
