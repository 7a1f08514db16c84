import type { EventRecorder, Store } from '@holdfast/control';
import type { PersistentVolumeClaim } from '@holdfast/kube';
import { reasons } from './names.ts';

/** What a user is told on the claim. A claim that is gone is told nothing. */
export interface ClaimEvents {
  provisioning(claim: PersistentVolumeClaim): void;
  leftToPopulator(claim: PersistentVolumeClaim): void;
  succeeded(claim: PersistentVolumeClaim, volumeName: string): void;
  failed(claim: PersistentVolumeClaim, className: string, reason: string): void;
}

export function createClaimEvents(deps: {
  recorder: EventRecorder;
  claims: Store<PersistentVolumeClaim>;
}): ClaimEvents {
  function emit(claim: PersistentVolumeClaim, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const [current] = deps.claims.byIndex('uid', claim.metadata.uid);
    if (current) deps.recorder.event(current, type, reason, message);
  }
  return {
    provisioning(claim) {
      const { namespace, name } = claim.metadata;
      emit(
        claim,
        'Normal',
        reasons.provisioning,
        `External provisioner is provisioning volume for claim "${namespace}/${name}"`,
      );
    },
    leftToPopulator(claim) {
      emit(claim, 'Normal', reasons.provisioning, 'Assuming an external populator will provision the volume');
    },
    succeeded(claim, volumeName) {
      emit(claim, 'Normal', reasons.provisioningSucceeded, `Successfully provisioned volume ${volumeName}`);
    },
    failed(claim, className, reason) {
      emit(
        claim,
        'Warning',
        reasons.provisioningFailed,
        `failed to provision volume with StorageClass "${className}": ${reason}`,
      );
    },
  };
}
