import type { ControllerModifyVolumeRequest, ControllerService } from '@holdfast/csi-spec';
import { type Handlers, rpcError } from '@holdfast/rpc';
import type { Backend, StringMap } from './backend.ts';
import { canModifyVolumes } from './capabilities.ts';
import { checkMapSize, checkVolumeId } from './check-text.ts';
import { ownParameters, parseParameters } from './class-parameters.ts';
import { type VolumeLocks, volumeKey } from './locks.ts';
import { requireVolume } from './volume-message.ts';

/**
 * All of them or none, CSI spec "ControllerModifyVolume": a key that is unknown or has a wrong value is refused before anything is
 * changed.
 */
export function checkMutableParameters(backend: Backend, given: StringMap): StringMap {
  const own = ownParameters(given);
  const first = Object.keys(own)[0];
  if (first === undefined) return own;
  if (!canModifyVolumes(backend) || backend.mutableParameters === undefined) {
    throw rpcError(
      'InvalidArgument',
      `mutable parameter ${JSON.stringify(first)} is not supported: this driver cannot modify volumes`,
    );
  }
  checkMapSize('mutable_parameters', own);
  parseParameters(backend.mutableParameters, own, 'VolumeAttributesClass');
  return own;
}

export function modifyHandlers(deps: { backend: Backend; locks: VolumeLocks }): Handlers<ControllerService> {
  const { backend, locks } = deps;
  const { modifyVolume } = backend;
  if (modifyVolume === undefined || !canModifyVolumes(backend)) return {};
  return {
    controllerModifyVolume: async ({ volumeId, mutableParameters }: ControllerModifyVolumeRequest) => {
      checkVolumeId(volumeId);
      await locks.exclusive([volumeKey(volumeId)], async () => {
        // Which parameters are right is for the volume to say, so it comes first.
        const volume = await requireVolume(backend, volumeId);
        const own = checkMutableParameters(backend, mutableParameters);
        if (Object.keys(own).length > 0) await modifyVolume(volume, own);
      });
      return {};
    },
  };
}
