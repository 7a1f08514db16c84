import type { EventRecorder } from '@holdfast/control';
import type { PersistentVolume, PersistentVolumeClaim } from '@holdfast/kube';
import { reasons } from './names.ts';

/** What a user is told on the claim. */
export interface ClaimEvents {
  resizing(claim: PersistentVolumeClaim, volume: PersistentVolume): void;
  succeeded(claim: PersistentVolumeClaim): void;
  fileSystemResizeRequired(claim: PersistentVolumeClaim): void;
  failed(claim: PersistentVolumeClaim, reason: string): void;
}

export function createClaimEvents(deps: { recorder: EventRecorder; driverName: string }): ClaimEvents {
  const { recorder, driverName } = deps;
  return {
    resizing(claim, volume) {
      const message = `External resizer is resizing volume ${volume.metadata.name}`;
      recorder.event(claim, 'Normal', reasons.resizing, message);
    },
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
