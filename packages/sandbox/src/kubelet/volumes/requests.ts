import {
  accessModeFor,
  type NodeCapability,
  NodeExpandVolumeRequest,
  NodePublishVolumeRequest,
  NodeStageVolumeRequest,
  VolumeCapability,
} from '@holdfast/csi-spec';
import type { Pod } from '@holdfast/kube';
import type { CsiVolume } from './spec.ts';

type StringMap = Readonly<Record<string, string>>;

/** What a driver hears about a volume's use. kubelet passes the first access mode alone. */
export function volumeCapability(
  volume: CsiVolume,
  capabilities: ReadonlySet<NodeCapability>,
  mountGroup = '',
): VolumeCapability {
  const mode = accessModeFor(volume.accessModes.slice(0, 1), capabilities.has('SINGLE_NODE_MULTI_WRITER'));
  return VolumeCapability.fromPartial({
    accessMode: { mode },
    accessType: volume.isBlock
      ? { $case: 'block', value: {} }
      : {
          $case: 'mount',
          value: { fsType: volume.fsType, mountFlags: [...volume.mountOptions], volumeMountGroup: mountGroup },
        },
  });
}

export function stageRequest(
  volume: CsiVolume,
  options: {
    readonly stagingPath: string;
    readonly publishContext: StringMap;
    readonly secrets: StringMap;
    readonly capabilities: ReadonlySet<NodeCapability>;
    readonly mountGroup: string;
  },
): NodeStageVolumeRequest {
  return NodeStageVolumeRequest.fromPartial({
    volumeId: volume.handle,
    publishContext: options.publishContext,
    stagingTargetPath: options.stagingPath,
    volumeCapability: volumeCapability(volume, options.capabilities, options.mountGroup),
    secrets: options.secrets,
    volumeContext: volume.attributes,
  });
}

export function publishRequest(
  volume: CsiVolume,
  options: {
    readonly stagingPath: string;
    readonly targetPath: string;
    readonly isReadOnly: boolean;
    readonly podInfo: StringMap;
    readonly publishContext: StringMap;
    readonly secrets: StringMap;
    readonly capabilities: ReadonlySet<NodeCapability>;
    readonly mountGroup: string;
  },
): NodePublishVolumeRequest {
  return NodePublishVolumeRequest.fromPartial({
    volumeId: volume.handle,
    publishContext: options.publishContext,
    stagingTargetPath:
      options.capabilities.has('STAGE_UNSTAGE_VOLUME') && !volume.isEphemeral ? options.stagingPath : '',
    targetPath: options.targetPath,
    volumeCapability: volumeCapability(volume, options.capabilities, options.mountGroup),
    readonly: options.isReadOnly || volume.isReadOnly,
    secrets: options.secrets,
    volumeContext: { ...volume.attributes, ...options.podInfo },
  });
}

export function expandRequest(
  volume: CsiVolume,
  options: {
    readonly volumePath: string;
    readonly stagingPath: string;
    readonly requiredBytes: bigint;
    readonly secrets: StringMap;
    readonly capabilities: ReadonlySet<NodeCapability>;
  },
): NodeExpandVolumeRequest {
  return NodeExpandVolumeRequest.fromPartial({
    volumeId: volume.handle,
    volumePath: options.volumePath,
    capacityRange: { requiredBytes: options.requiredBytes },
    stagingTargetPath: options.capabilities.has('STAGE_UNSTAGE_VOLUME') ? options.stagingPath : '',
    volumeCapability: volumeCapability(volume, options.capabilities),
    secrets: options.secrets,
  });
}

/** What CSIDriver.podInfoOnMount asks for. */
export function podInfo(pod: Pod, isEphemeral: boolean): Record<string, string> {
  return {
    'csi.storage.k8s.io/pod.name': pod.metadata.name,
    'csi.storage.k8s.io/pod.namespace': pod.metadata.namespace ?? '',
    'csi.storage.k8s.io/pod.uid': pod.metadata.uid,
    'csi.storage.k8s.io/serviceAccount.name': pod.spec?.serviceAccountName ?? '',
    'csi.storage.k8s.io/ephemeral': String(isEphemeral),
  };
}
