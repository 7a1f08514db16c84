import type { EventRecorder, Store } from '@holdfast/control';
import { errorMessage, type Logger } from '@holdfast/core';
import type { PersistentVolumeClaim, Pod } from '@holdfast/kube';
import { RpcError } from '@holdfast/rpc';
import { reasons } from '../names.ts';
import type { VolumeRef } from '../paths.ts';
import type { VolumeStep } from './decide.ts';
import type { CsiVolume } from './spec.ts';

/** Says on pods and claims what became of their volumes, where a user looks first. */
export interface VolumeAnnouncer {
  mounted(pod: Pod, volume: CsiVolume): void;
  missingDriver(pods: readonly Pod[], volume: VolumeRef): void;
  stepFailed(pods: readonly Pod[], volume: VolumeRef, step: VolumeStep, error: unknown): void;
  grown(pod: Pod, volume: CsiVolume): void;
  cannotGrow(pod: Pod, volume: CsiVolume, error: unknown): void;
}

export function createVolumeAnnouncer(deps: {
  readonly recorder: EventRecorder;
  readonly claims: Store<PersistentVolumeClaim>;
  readonly nodeName: string;
  readonly log: Logger;
}): VolumeAnnouncer {
  type EventType = 'Normal' | 'Warning';

  function tellPod({ metadata }: Pod, type: EventType, reason: string, message: string): void {
    deps.recorder.event({ kind: 'Pod', apiVersion: 'v1', metadata }, type, reason, message);
  }

  function tellClaim(volume: CsiVolume, type: EventType, reason: string, message: string): void {
    const claim = volume.claimKey === undefined ? undefined : deps.claims.get(volume.claimKey);
    if (claim !== undefined) {
      const object = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', metadata: claim.metadata };
      deps.recorder.event(object, type, reason, message);
    }
  }

  return {
    mounted: (pod, { specName, isBlock }) => {
      const [reason, operation] = isBlock
        ? [reasons.successfulMapVolume, 'MapVolume.MapPodDevice']
        : [reasons.successfulMountVolume, 'MountVolume.SetUp'];
      tellPod(pod, 'Normal', reason, `${operation} succeeded for volume "${specName}"`);
    },
    missingDriver: (pods, { specName, driver }) => {
      const message =
        `MountVolume.SetUp failed for volume "${specName}" : driver name ${driver} not found in the list of registered ` +
        'CSI drivers; check that its node plug-in and its registrar run on this node';
      pods.forEach((pod) => tellPod(pod, 'Warning', reasons.failedMount, message));
    },
    stepFailed: (pods, { specName, isBlock }, step, error) => {
      const message = `${operationOf(step)} failed for volume "${specName}" : ${describe(error)}`;
      const failed = isBlock ? reasons.failedMapVolume : reasons.failedMount;
      deps.log.warn(message, { volume: specName });
      pods.forEach((pod) =>
        tellPod(pod, 'Warning', step.kind === 'expand' ? reasons.volumeResizeFailed : failed, message),
      );
    },
    grown: (pod, volume) => {
      const message = `MountVolume.NodeExpandVolume succeeded for volume "${volume.specName}" ${deps.nodeName}`;
      tellPod(pod, 'Normal', reasons.fileSystemResizeSuccessful, message);
      tellClaim(volume, 'Normal', reasons.fileSystemResizeSuccessful, message);
    },
    cannotGrow: (pod, volume, error) => {
      const message = `MountVolume.NodeExpandVolume failed for volume "${volume.specName}" : ${describe(error)}`;
      tellPod(pod, 'Warning', reasons.volumeResizeFailed, message);
      tellClaim(volume, 'Warning', reasons.volumeResizeFailed, message);
    },
  };
}

function operationOf(step: VolumeStep): string {
  switch (step.kind) {
    case 'stage':
      return 'MountVolume.MountDevice';
    case 'publish':
      return 'MountVolume.SetUp';
    case 'expand':
      return 'MountVolume.NodeExpandVolume';
    case 'unpublish':
      return 'UnmountVolume.TearDown';
    case 'unstage':
      return 'UnmountDevice';
    case 'reportInUse':
    case 'release':
      return 'Writing volumesInUse';
    case 'wait':
    case 'none':
      return step.kind;
    default:
      return step satisfies never;
  }
}

function describe(error: unknown): string {
  return error instanceof RpcError ? `rpc error: code = ${error.code} desc = ${error.message}` : errorMessage(error);
}
