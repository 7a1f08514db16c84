import type { EventRecorder } from '@holdfast/control';
import type { Clock } from '@holdfast/core';
import type { PersistentVolume, PersistentVolumeClaim } from '@holdfast/kube';
import { reasons } from './names.ts';

/** What a user is told on the claim. */
export interface ClaimEvents {
  /** Says that a resize is under way, once it has taken a second. @returns ends the wait */
  resizing(claim: PersistentVolumeClaim, volume: PersistentVolume): () => void;
  succeeded(claim: PersistentVolumeClaim): void;
  fileSystemResizeRequired(claim: PersistentVolumeClaim): void;
  failed(claim: PersistentVolumeClaim, reason: string): void;
}

// Shorter resizes are told by their result alone: an event is an API write.
const PROGRESS_AFTER_MS = 1_000;

export function createClaimEvents(deps: { recorder: EventRecorder; driverName: string; clock: Clock }): ClaimEvents {
  const { recorder, driverName, clock } = deps;
  return {
    resizing: (claim, volume) =>
      clock.setTimer(PROGRESS_AFTER_MS, () => {
        const message = `External resizer is resizing volume ${volume.metadata.name}`;
        recorder.event(claim, 'Normal', reasons.resizing, message);
      }),
    succeeded(claim) {
      recorder.event(claim, 'Normal', reasons.resizeSuccessful, 'Resize volume succeeded');
    },
    fileSystemResizeRequired(claim) {
      recorder.event(claim, 'Normal', reasons.fileSystemResizeRequired, 'Require file system resize of volume on node');
    },
    failed(claim, reason) {
      const message = `resize volume "${claim.spec?.volumeName ?? ''}" by resizer "${driverName}" failed: ${reason}`;
      recorder.event(claim, 'Warning', reasons.resizeFailed, message);
    },
  };
}
