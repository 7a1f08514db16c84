import type { EventRecorder } from '@holdfast/control';
import { type Clock, systemClock } from '@holdfast/core';
import { objectKey, type PersistentVolumeClaim } from '@holdfast/kube';
import { wantedClass } from './decide-modify.ts';
import { createFailureNotices } from './failure-notices.ts';
import { reasons } from './names.ts';

/** What a user is told on the claim about its VolumeAttributesClass. */
export interface ModifyEvents {
  modifying(claim: PersistentVolumeClaim, className: string): void;
  succeeded(claim: PersistentVolumeClaim, className: string): void;
  canceled(claim: PersistentVolumeClaim): void;
  /** Told when it is another failure than the last, or of another request, and every ten minutes while it lasts. */
  failed(claim: PersistentVolumeClaim, message: string): void;
  /** The claim (`namespace/name`) is gone. */
  forget(key: string): void;
}

export function createModifyEvents(deps: { recorder: EventRecorder; clock?: Clock }): ModifyEvents {
  const { recorder, clock = systemClock } = deps;
  const notices = createFailureNotices({ clock });
  return {
    modifying(claim, className) {
      const message = `external resizer is modifying volume ${claim.metadata.name} with vac ${className}`;
      recorder.event(claim, 'Normal', reasons.modifying, message);
    },
    succeeded(claim, className) {
      notices.forget(objectKey(claim));
      const message = `external resizer modified volume ${claim.metadata.name} with vac ${className} successfully`;
      recorder.event(claim, 'Normal', reasons.modifySuccessful, message);
    },
    canceled(claim) {
      notices.forget(objectKey(claim));
      recorder.event(claim, 'Normal', reasons.modifyCanceled, 'Cancelled modify.');
    },
    failed(claim, message) {
      if (notices.isNews(claim, `${wantedClass(claim)} ${message}`)) {
        recorder.event(claim, 'Warning', reasons.modifyFailed, message);
      }
    },
    forget: notices.forget,
  };
}
