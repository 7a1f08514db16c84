import {
  ControllerExpandVolumeRequest,
  ControllerPublishVolumeRequest,
  CreateSnapshotRequest,
  CreateVolumeRequest,
  type DeepPartial,
  VolumeCapability_AccessMode_Mode as Mode,
  NodeExpandVolumeRequest,
  NodePublishVolumeRequest,
  NodeStageVolumeRequest,
  VolumeCapability,
} from '@holdfast/csi-spec';

export const MiB = 1024n * 1024n;
export const options = { timeoutMs: 60_000 };

export function mountCapability(fsType = '', mode: Mode = Mode.SINGLE_NODE_WRITER): VolumeCapability {
  return VolumeCapability.fromPartial({ accessType: { $case: 'mount', value: { fsType } }, accessMode: { mode } });
}

export function blockCapability(mode: Mode = Mode.SINGLE_NODE_WRITER): VolumeCapability {
  return VolumeCapability.fromPartial({ accessType: { $case: 'block', value: {} }, accessMode: { mode } });
}

/** The requests kubelet and the sidecars would send for one volume. */
export function requestsFor(volume: { name: string; capability: VolumeCapability; dir: string; sizeBytes: bigint }) {
  const { name: volumeId, capability: volumeCapability, dir, sizeBytes } = volume;
  const stagingTargetPath = `${dir}/staging/${volumeId}`;
  const targetPath = `${dir}/pods/${volumeId}/mount`;
  return {
    stagingTargetPath,
    targetPath,
    create: (more: DeepPartial<CreateVolumeRequest> = {}) =>
      CreateVolumeRequest.fromPartial({
        name: volumeId,
        capacityRange: { requiredBytes: sizeBytes },
        volumeCapabilities: [volumeCapability],
        ...more,
      }),
    attach: (nodeId = 'node-a', readonly = false) =>
      ControllerPublishVolumeRequest.fromPartial({ volumeId, nodeId, readonly, volumeCapability }),
    stage: () => NodeStageVolumeRequest.fromPartial({ volumeId, stagingTargetPath, volumeCapability }),
    publish: (more: DeepPartial<NodePublishVolumeRequest> = {}) =>
      NodePublishVolumeRequest.fromPartial({ volumeId, stagingTargetPath, targetPath, volumeCapability, ...more }),
    stats: (volumePath = targetPath) => ({ volumeId, volumePath, stagingTargetPath }),
    expand: (requiredBytes: bigint) =>
      ControllerExpandVolumeRequest.fromPartial({ volumeId, capacityRange: { requiredBytes }, volumeCapability }),
    nodeExpand: (requiredBytes: bigint) =>
      NodeExpandVolumeRequest.fromPartial({
        volumeId,
        volumePath: targetPath,
        stagingTargetPath,
        volumeCapability,
        capacityRange: { requiredBytes },
      }),
    unpublish: () => ({ volumeId, targetPath }),
    unstage: () => ({ volumeId, stagingTargetPath }),
    detach: (nodeId = 'node-a') => ({ volumeId, nodeId, secrets: {} }),
    remove: () => ({ volumeId, secrets: {} }),
  };
}

export function snapshotRequest(name: string, sourceVolumeId: string): CreateSnapshotRequest {
  return CreateSnapshotRequest.fromPartial({ name, sourceVolumeId });
}

export function fromSnapshot(snapshotId: string): DeepPartial<CreateVolumeRequest> {
  return { volumeContentSource: { type: { $case: 'snapshot', value: { snapshotId } } } };
}

export function fromVolume(volumeId: string): DeepPartial<CreateVolumeRequest> {
  return { volumeContentSource: { type: { $case: 'volume', value: { volumeId } } } };
}
