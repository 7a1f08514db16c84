import { join } from 'node:path';
import type { Pod } from '@holdfast/kube';
import * as z from 'zod';
import { listDir, recoverRecord, removeRecord, writeRecord } from '../files.ts';
import type { KubeletPaths } from '../paths.ts';

/** A pod this node has something of: processes, mounts or folders. */
export interface LocalPod {
  readonly uid: string;
  /** As the API last showed it; undefined for a folder whose record is gone. */
  pod: Pod | undefined;
  /** When its ending began, here. */
  endingSinceMs: number | undefined;
  isSignalled: boolean;
}

export interface LocalPods {
  get(uid: string): LocalPod | undefined;
  uids(): readonly string[];
  /** Remembers a pod before anything is made for it, so that a restart can take down what it no longer finds in the API. */
  ensure(pod: Pod): Promise<LocalPod>;
  forget(uid: string): Promise<void>;
}

const recordShape = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    resourceVersion: z.string(),
    creationTimestamp: z.string(),
  }),
});

export async function openLocalPods(paths: KubeletPaths): Promise<LocalPods> {
  const pods = new Map<string, LocalPod>();
  const recordPath = (uid: string) => join(paths.podDir(uid), 'pod.json');
  for (const uid of await listDir(paths.pods)) {
    const parsed = recordShape.safeParse(await recoverRecord(recordPath(uid)));
    pods.set(uid, { uid, pod: parsed.success ? parsed.data : undefined, endingSinceMs: undefined, isSignalled: false });
  }
  return {
    get: (uid) => pods.get(uid),
    uids: () => [...pods.keys()],
    ensure: async (pod) => {
      const { uid } = pod.metadata;
      const present = pods.get(uid);
      if (present !== undefined) {
        present.pod = pod;
        return present;
      }
      await writeRecord(recordPath(uid), pod);
      const fresh: LocalPod = { uid, pod, endingSinceMs: undefined, isSignalled: false };
      pods.set(uid, fresh);
      return fresh;
    },
    forget: async (uid) => {
      await removeRecord(recordPath(uid));
      pods.delete(uid);
    },
  };
}
