import { type Clock, errorMessage, type Logger } from '@holdfast/core';
import type { KubeClient, Pod } from '@holdfast/kube';
import type { KubeletPaths } from '../paths.ts';
import type { ContentVolume } from './content-volume.ts';
import { readContent } from './read-content.ts';
import { writeContent } from './write-content.ts';

/** The volumes whose files this kubelet writes: ConfigMaps, Secrets, fields of the pod, service account tokens. */
export interface ContentVolumes {
  isReady(podUid: string, name: string): boolean;
  make(pod: Pod, name: string, volume: ContentVolume, signal: AbortSignal): Promise<void>;
  /** Writes again what is due: tokens. @returns when to come back, undefined for never */
  refresh(pod: Pod, name: string, volume: ContentVolume, signal: AbortSignal): Promise<number | undefined>;
  forget(podUid: string): void;
}

const refreshRetryMs = 60_000;

export function createContentVolumes(deps: {
  readonly client: KubeClient;
  readonly paths: KubeletPaths;
  readonly log: Logger;
  readonly clock: Clock;
}): ContentVolumes {
  const { client, paths, log, clock } = deps;
  /** When each is due again, in monotonic milliseconds. Not known after a restart, when all are written anew. */
  const dueAtMs = new Map<string, number>();
  const keyOf = (podUid: string, name: string) => `${podUid}/${name}`;

  async function make(pod: Pod, name: string, volume: ContentVolume, signal: AbortSignal): Promise<void> {
    const content = await readContent({ client, nowMs: () => clock.nowMs() }, pod, volume, signal);
    await writeContent(paths.contentDir(pod.metadata.uid, volume.plugin, name), content.files);
    const afterMs = content.refreshAfterMs ?? Number.POSITIVE_INFINITY;
    dueAtMs.set(keyOf(pod.metadata.uid, name), clock.monotonicMs() + afterMs);
  }

  return {
    isReady: (podUid, name) => dueAtMs.has(keyOf(podUid, name)),
    make,
    refresh: async (pod, name, volume, signal) => {
      if (volume.sources.every(({ kind }) => kind !== 'serviceAccountToken')) {
        return undefined;
      }
      const key = keyOf(pod.metadata.uid, name);
      if ((dueAtMs.get(key) ?? 0) <= clock.monotonicMs()) {
        try {
          await make(pod, name, volume, signal);
        } catch (error) {
          signal.throwIfAborted();
          log.warn('A token could not be renewed and is tried again', {
            pod: `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`,
            volume: name,
            error: errorMessage(error),
          });
          dueAtMs.set(key, clock.monotonicMs() + refreshRetryMs);
        }
      }
      return Math.max(0, (dueAtMs.get(key) ?? 0) - clock.monotonicMs());
    },
    forget: (podUid) => {
      for (const key of [...dueAtMs.keys()].filter((candidate) => candidate.startsWith(`${podUid}/`))) {
        dueAtMs.delete(key);
      }
    },
  };
}
