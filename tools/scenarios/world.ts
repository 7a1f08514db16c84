import { setTimeout as sleep } from 'node:timers/promises';
import { createReflector, type Reflector } from '@holdfast/control';
import { errorMessage, silentLogger } from '@holdfast/core';
import {
  type CSINode,
  csiNodes,
  type Event,
  events,
  type KubeClient,
  type KubeObject,
  type Lease,
  leases,
  type Node,
  nodes,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  type Resource,
  type VolumeAttachment,
  volumeAttachments,
} from '@holdfast/kube';

/** What a look at the world found: the thing awaited, or in words what was there instead. */
export type Sight<T> =
  | { readonly kind: 'found'; readonly value: T }
  | { readonly kind: 'notYet'; readonly seen: string };

export function found<T>(value: T): Sight<T> {
  return { kind: 'found', value };
}

export function notYet(seen: string): Sight<never> {
  return { kind: 'notYet', seen };
}

export interface Expectation<T> {
  readonly what: string;
  readonly look: () => Sight<T> | Promise<Sight<T>>;
  readonly timeoutMs?: number;
}

/** The API as watches show it, and a way to wait for what it will show. */
export interface World {
  claims(): readonly PersistentVolumeClaim[];
  volumes(): readonly PersistentVolume[];
  attachments(): readonly VolumeAttachment[];
  pods(): readonly Pod[];
  nodes(): readonly Node[];
  csiNodes(): readonly CSINode[];
  events(): readonly Event[];
  leases(): readonly Lease[];
  onChange(listener: (object: KubeObject) => void): () => void;
  /**
   * Looks now and after every change, and between changes for what has no watch: processes, files, the kernel.
   * @throws Error after `timeoutMs` (3 min), saying what was expected and what was seen
   */
  until<T>(expectation: Expectation<T>): Promise<T>;
  /** Settles once nothing has changed for a while: that no more events will be written, nobody announces. */
  untilQuiet(): Promise<void>;
  close(): Promise<void>;
}

const patienceMs = 180_000;
const tickMs = 100;
const quietMs = 400;
/** They are renewed for ever. */
const restless = new Set(['leases', 'nodes']);

export async function openWorld(client: KubeClient): Promise<World> {
  const closing = new AbortController();
  const runs: Promise<void>[] = [];
  const listeners = new Set<(object: KubeObject) => void>();
  let lastChangeMs = performance.now();

  function follow<T extends KubeObject>(resource: Resource<T>): Reflector<T> {
    const reflector = createReflector({ client, resource, log: silentLogger });
    reflector.store.subscribe((change) => {
      if (!restless.has(resource.plural)) lastChangeMs = performance.now();
      for (const listener of listeners) listener(change.object);
    });
    runs.push(reflector.run(closing.signal));
    return reflector;
  }

  const claims = follow(persistentVolumeClaims);
  const volumes = follow(persistentVolumes);
  const attachments = follow(volumeAttachments);
  const allPods = follow(pods);
  const allNodes = follow(nodes);
  const ownCsiNodes = follow(csiNodes);
  const allEvents = follow(events);
  const allLeases = follow(leases);
  const followed = [claims, volumes, attachments, allPods, allNodes, ownCsiNodes, allEvents, allLeases];
  await Promise.all(followed.map(({ synced }) => synced));

  const changeOrTick = async (): Promise<void> => {
    const waiting = new AbortController();
    const stopListening = onChange(() => waiting.abort());
    await sleep(tickMs, undefined, { signal: AbortSignal.any([waiting.signal, closing.signal]) }).catch(() => {});
    stopListening();
  };

  function onChange(listener: (object: KubeObject) => void): () => void {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  return {
    claims: () => claims.store.list(),
    volumes: () => volumes.store.list(),
    attachments: () => attachments.store.list(),
    pods: () => allPods.store.list(),
    nodes: () => allNodes.store.list(),
    csiNodes: () => ownCsiNodes.store.list(),
    events: () => allEvents.store.list(),
    leases: () => allLeases.store.list(),
    onChange,
    async until({ what, look, timeoutMs = patienceMs }) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const sight = await look();
        if (sight.kind === 'found') return sight.value;
        if (closing.signal.aborted) throw new Error(`the rig was stopped while a scenario waited for ${what}`);
        if (performance.now() > deadline) {
          throw new Error(`expected ${what}; seen after ${timeoutMs / 1000} s: ${sight.seen}`);
        }
        await changeOrTick();
      }
    },
    async untilQuiet() {
      const deadline = performance.now() + patienceMs;
      while (performance.now() - lastChangeMs < quietMs) {
        if (performance.now() > deadline) throw new Error('the cluster did not come to rest');
        await changeOrTick();
      }
    },
    async close() {
      closing.abort(new Error('the world is closed'));
      await Promise.all(runs.map((run) => run.catch((error: unknown) => console.error(errorMessage(error)))));
    },
  };
}
