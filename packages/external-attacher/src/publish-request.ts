import { type ControllerPublishVolumeRequest, volumeCapabilityFor } from '@holdfast/csi-spec';
import type { DriverTraits } from './driver-traits.ts';
import type { VolumeSource } from './volume-source.ts';

type FoundSource = Extract<VolumeSource, { kind: 'found' }>;

/** ControllerPublishVolume's request but for its secrets, which are read right before the call. */
export type PublishRequest = Omit<ControllerPublishVolumeRequest, 'secrets'>;

export interface SecretRef {
  readonly name: string;
  readonly namespace: string;
}

/** @throws AccessModeError */
export function publishRequest(source: FoundSource, nodeId: string, driver: DriverTraits): PublishRequest {
  const { spec, csi } = source;
  return {
    volumeId: csi.volumeHandle,
    nodeId,
    volumeCapability: volumeCapabilityFor(spec, {
      fsType: csi.fsType || driver.defaultFsType,
      hasSingleNodeMultiWriter: driver.hasSingleNodeMultiWriter,
    }),
    // CSI: the CO must set readonly to false when the driver lacks PUBLISH_READONLY.
    readonly: driver.canPublishReadonly && csi.readOnly === true,
    volumeContext: csi.volumeAttributes ?? {},
  };
}

/** Whether the volume may be published to one node only (ReadWriteOnce, ReadWriteOncePod). */
export function isSingleNode(spec: FoundSource['spec']): boolean {
  const modes = spec.accessModes ?? [];
  return modes.length > 0 && modes.every((mode) => mode === 'ReadWriteOnce' || mode === 'ReadWriteOncePod');
}

export function publishSecretRef(source: FoundSource): SecretRef | undefined {
  const ref = source.csi.controllerPublishSecretRef;
  if (ref === undefined) return undefined;
  return { name: ref.name ?? '', namespace: ref.namespace ?? '' };
}
