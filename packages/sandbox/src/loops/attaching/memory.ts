import { systemClock } from '@holdfast/core';
import type { LoopDeps } from '../loop.ts';
import type { AttachMemory } from './view.ts';

/** As in kube-controller-manager this does not outlive the process: after a restart all waits begin anew. */
export function createAttachMemory({ caches, periods, clock = systemClock }: LoopDeps): AttachMemory {
  const inUse = new Map<string, readonly string[]>();
  const unwantedSinceMs = new Map<string, number>();
  caches.nodes.subscribe((change) => {
    const { name } = change.object.metadata;
    if (change.kind === 'deleted') {
      inUse.set(name, change.object.status?.volumesInUse ?? []);
    } else {
      inUse.delete(name);
    }
  });
  caches.attachments.subscribe((change) => {
    if (change.kind === 'deleted') {
      const { uid } = change.object.metadata;
      unwantedSinceMs.delete(uid);
    }
  });
  return {
    maxWaitForUnmountMs: periods.maxWaitForUnmountMs,
    lastInUse: (nodeName) => inUse.get(nodeName),
    unwantedMs: (uid, isWanted) => {
      if (isWanted) {
        unwantedSinceMs.delete(uid);
        return 0;
      }
      const sinceMs = unwantedSinceMs.get(uid) ?? clock.monotonicMs();
      unwantedSinceMs.set(uid, sinceMs);
      return clock.monotonicMs() - sinceMs;
    },
  };
}
