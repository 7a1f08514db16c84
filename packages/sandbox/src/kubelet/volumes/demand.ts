import type { Pod } from '@holdfast/kube';
import type { CsiVolume } from './spec.ts';

/** A pod's use of a CSI volume. */
export interface Demand {
  readonly pod: Pod;
  readonly volume: CsiVolume;
  readonly isReadOnly: boolean;
}

/** What the pods of this node need, as they last said. */
export interface Demands {
  /** Says whether the pod asks for another number of volumes, or lets go of them. */
  set(podUid: string, next: readonly Demand[], isRunning: boolean): boolean;
  ofPod(podUid: string): readonly Demand[];
  ofVolume(uniqueName: string): readonly Demand[];
  volumeNames(): readonly string[];
  /** The pods of which a process runs. */
  runningPods(): ReadonlySet<string>;
}

export function createDemands(): Demands {
  const byPod = new Map<string, readonly Demand[]>();
  const running = new Set<string>();
  const all = () => [...byPod.values()].flat();
  return {
    set: (podUid, next, isRunning) => {
      const isChanged = (byPod.get(podUid) ?? []).length !== next.length || running.has(podUid) !== isRunning;
      if (next.length === 0) {
        byPod.delete(podUid);
      } else {
        byPod.set(podUid, next);
      }
      if (isRunning) {
        running.add(podUid);
      } else {
        running.delete(podUid);
      }
      return isChanged;
    },
    ofPod: (podUid) => byPod.get(podUid) ?? [],
    ofVolume: (uniqueName) => all().filter(({ volume }) => volume.uniqueName === uniqueName),
    volumeNames: () => all().map(({ volume }) => volume.uniqueName),
    runningPods: () => running,
  };
}
