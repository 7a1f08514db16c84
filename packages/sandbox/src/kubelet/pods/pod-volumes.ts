import { errorMessage } from '@holdfast/core';
import type { Pod } from '@holdfast/kube';
import type { KubeletCaches } from '../caches.ts';
import type { ContentVolumes } from '../content/content-volumes.ts';
import type { KubeletPaths } from '../paths.ts';
import type { Demand } from '../volumes/demand.ts';
import type { VolumeManager } from '../volumes/manager.ts';
import { type PodVolume, volumesOfPod } from '../volumes/spec.ts';
import type { VolumeSource } from './container-spec.ts';
import { makeEmptyDir } from './folders.ts';

/** The volumes of one pod, as they stand now. */
export interface PodVolumes {
  readonly areReady: boolean;
  /** What is in the way of those that are not ready, where it is known. */
  readonly obstacle: string | undefined;
  readonly demands: readonly Demand[];
  /** Where a container finds them, by the name of the volume. */
  readonly sources: ReadonlyMap<string, VolumeSource>;
  makeEmptyDirs(): Promise<void>;
  /** Makes what this kubelet writes itself. */
  prepare(signal: AbortSignal): Promise<Preparation>;
  /** Renews tokens. @returns when to come back, undefined for never */
  refresh(signal: AbortSignal): Promise<number | undefined>;
}

export interface Preparation {
  /** Whether anything was made that was not there. */
  readonly isAnyMade: boolean;
  /** What cannot be made, now or ever. */
  readonly failures: readonly { readonly name: string; readonly message: string }[];
}

interface PodVolumesDeps {
  readonly caches: KubeletCaches;
  readonly paths: KubeletPaths;
  readonly volumes: VolumeManager;
  readonly content: ContentVolumes;
}

export function readPodVolumes(deps: PodVolumesDeps, pod: Pod): PodVolumes {
  const { caches, paths } = deps;
  const { uid } = pod.metadata;
  const all = volumesOfPod(pod, {
    claim: (key) => caches.claims.get(key),
    volume: (name) => caches.volumes.get(name),
  });
  const obstacles = all.flatMap((volume) =>
    volume.kind === 'waiting' || volume.kind === 'unsupported' ? [`volume "${volume.name}": ${volume.reason}`] : [],
  );
  return {
    areReady: all.every((volume) => isReady(deps, uid, volume)),
    obstacle: obstacles.length === 0 ? undefined : obstacles.join('; '),
    demands: all.flatMap((volume) =>
      volume.kind === 'csi' ? [{ pod, volume: volume.volume, isReadOnly: volume.isReadOnly }] : [],
    ),
    sources: new Map(
      all.flatMap((volume) => {
        const source = sourceOf(paths, uid, volume);
        return source === undefined ? [] : [[volume.name, source] as const];
      }),
    ),
    makeEmptyDirs: async () => {
      for (const { name } of all.filter(({ kind }) => kind === 'emptyDir')) {
        await makeEmptyDir(paths, uid, name);
      }
    },
    prepare: async (signal) => {
      let isAnyMade = false;
      const failures: { name: string; message: string }[] = [];
      for (const volume of all) {
        if (volume.kind === 'unsupported') {
          failures.push({ name: volume.name, message: volume.reason });
        } else if (volume.kind === 'content' && !deps.content.isReady(uid, volume.name)) {
          try {
            await deps.content.make(pod, volume.name, volume.content, signal);
            isAnyMade = true;
          } catch (error) {
            signal.throwIfAborted();
            failures.push({ name: volume.name, message: errorMessage(error) });
          }
        }
      }
      return { isAnyMade, failures };
    },
    refresh: async (signal) => {
      let nextMs: number | undefined;
      for (const volume of all) {
        const dueMs =
          volume.kind === 'content' ? await deps.content.refresh(pod, volume.name, volume.content, signal) : undefined;
        nextMs = dueMs === undefined ? nextMs : Math.min(nextMs ?? dueMs, dueMs);
      }
      return nextMs;
    },
  };
}

function isReady({ volumes, content }: PodVolumesDeps, podUid: string, volume: PodVolume): boolean {
  switch (volume.kind) {
    case 'csi':
      return volumes.isPublished(podUid, volume.volume);
    case 'content':
      return content.isReady(podUid, volume.name);
    case 'emptyDir':
    case 'hostPath':
      return true;
    case 'waiting':
    case 'unsupported':
      return false;
    default:
      return volume satisfies never;
  }
}

function sourceOf(paths: KubeletPaths, podUid: string, volume: PodVolume): VolumeSource | undefined {
  switch (volume.kind) {
    case 'csi':
      return {
        path: paths.targetPath(volume.volume, podUid),
        isReadOnly: volume.isReadOnly || volume.volume.isReadOnly,
      };
    case 'emptyDir':
      return { path: paths.emptyDir(podUid, volume.name), isReadOnly: false };
    case 'hostPath':
      return { path: volume.path, isReadOnly: false };
    case 'content':
      return { path: paths.contentDir(podUid, volume.content.plugin, volume.name), isReadOnly: true };
    case 'waiting':
    case 'unsupported':
      return undefined;
    default:
      return volume satisfies never;
  }
}
