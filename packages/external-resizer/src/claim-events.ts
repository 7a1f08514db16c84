import type { EventRecorder } from '@holdfast/control';
import { type Clock, systemClock } from '@holdfast/core';
import { objectKey, type PersistentVolume, type PersistentVolumeClaim } from '@holdfast/kube';
import { createFailureNotices } from './failure-notices.ts';
import { reasons } from './names.ts';

/** What a user is told on the claim about its growth. */
export interface ClaimEvents {
  resizing(claim: PersistentVolumeClaim, volume: PersistentVolume): void;
  succeeded(claim: PersistentVolumeClaim): void;
  fileSystemResizeRequired(claim: PersistentVolumeClaim): void;
  /** Told when it is another failure than the last, or of another request, and every ten minutes while it lasts. */
  failed(claim: PersistentVolumeClaim, reason: string): void;
  /** The claim (`namespace/name`) is gone. */
  forget(key: string): void;
}

export function createClaimEvents(deps: { recorder: EventRecorder; driverName: string; clock?: Clock }): ClaimEvents {
  const { recorder, driverName, clock = systemClock } = deps;
  const notices = createFailureNotices({ clock });
  return {
    resizing(claim, volume) {
      const message = `External resizer is resizing volume ${volume.metadata.name}`;
      recorder.event(claim, 'Normal', reasons.resizing, message);
    },
    succeeded(claim) {
      notices.forget(objectKey(claim));
      recorder.event(claim, 'Normal', reasons.resizeSuccessful, 'Resize volume succeeded');
    },
    fileSystemResizeRequired(claim) {
      notices.forget(objectKey(claim));
      recorder.event(claim, 'Normal', reasons.fileSystemResizeRequired, 'Require file system resize of volume on node');
    },
    failed(claim, reason) {
      if (!notices.isNews(claim, `${claim.spec?.resources?.requests?.storage} ${reason}`)) return;
      const message = `resize volume "${claim.spec?.volumeName ?? ''}" by resizer "${driverName}" failed: ${reason}`;
      recorder.event(claim, 'Warning', reasons.resizeFailed, message);
    },
    forget: notices.forget,
  };
}
