import { uniqueVolumeName } from '../../loops/attaching/names.ts';
import { readMountPoints } from '../mountinfo.ts';
import type { KubeletPaths, VolumeRef } from '../paths.ts';
import type { Progress } from './decide.ts';
import type { VolumeRecords } from './records.ts';

/** What is mounted here, as far as this process knows. */
export interface VolumeState {
  readonly ref: VolumeRef;
  stage: Progress;
  readonly publications: Map<string, Progress>;
}

export interface ActualState {
  get(uniqueName: string): VolumeState | undefined;
  ensure(ref: VolumeRef): VolumeState;
  forget(uniqueName: string): void;
  keys(): readonly string[];
  /** The volumes that a pod has, or may have, mounted. */
  volumesOf(podUid: string): readonly VolumeState[];
}

export function createActualState(): ActualState {
  const states = new Map<string, VolumeState>();
  return {
    get: (uniqueName) => states.get(uniqueName),
    ensure: (ref) => {
      const key = uniqueVolumeName(ref.driver, ref.handle);
      const present = states.get(key);
      if (present !== undefined) {
        return present;
      }
      const { driver, handle, specName, isBlock } = ref;
      const fresh: VolumeState = {
        ref: { driver, handle, specName, isBlock },
        stage: 'absent',
        publications: new Map(),
      };
      states.set(key, fresh);
      return fresh;
    },
    forget: (uniqueName) => {
      states.delete(uniqueName);
    },
    keys: () => [...states.keys()],
    volumesOf: (podUid) =>
      [...states.values()].filter((state) => (state.publications.get(podUid) ?? 'absent') !== 'absent'),
  };
}

/**
 * Takes over what a run before this one left. A record with its mount in place is adopted as it is; one without is
 * uncertain: mounted again when a pod still wants it, else taken down.
 */
export async function reconstruct(
  state: ActualState,
  deps: { readonly paths: KubeletPaths; readonly records: VolumeRecords },
): Promise<void> {
  const mountPoints = await readMountPoints();
  const progress = (path: string): Progress => (mountPoints.has(path) ? 'done' : 'uncertain');
  const { stages, publications } = await deps.records.readAll();
  for (const { volume } of stages) {
    state.ensure(volume).stage = progress(deps.paths.stagingPath(volume));
  }
  for (const { volume, podUid } of publications) {
    state.ensure(volume).publications.set(podUid, progress(deps.paths.targetPath(volume, podUid)));
  }
}
