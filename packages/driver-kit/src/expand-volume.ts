import type { ControllerExpandVolumeRequest, ControllerService } from '@holdfast/csi-spec';
import { type Handlers, rpcError } from '@holdfast/rpc';
import type { Access, Backend } from './backend.ts';
import { checkRange, isWithin, sizeWithin } from './capacity.ts';
import { checkAccess } from './check-access.ts';
import { checkVolumeId } from './check-text.ts';
import { type VolumeLocks, volumeKey } from './locks.ts';
import { requireVolume } from './volume-message.ts';

export function expandHandlers(deps: { backend: Backend; locks: VolumeLocks }): Handlers<ControllerService> {
  const { backend, locks } = deps;
  const { expandVolume, sizeRules } = backend;
  if (expandVolume === undefined || sizeRules === undefined) return {};

  return {
    controllerExpandVolume: async (request: ControllerExpandVolumeRequest) => {
      const { volumeId, capacityRange: range } = request;
      checkVolumeId(volumeId);
      const { required, limit } = checkRange(range);
      if (required === 0n && limit === 0n) throw rpcError('InvalidArgument', 'capacity_range is required');
      const kinds: Access['kind'][] =
        request.volumeCapability === undefined ? [] : [checkAccess(backend, request.volumeCapability).kind];
      return locks.exclusive([volumeKey(volumeId)], async () => {
        const volume = await requireVolume(backend, volumeId);
        if (limit > 0n && volume.capacityBytes > limit) {
          throw rpcError(
            'OutOfRange',
            `volume ${volumeId} has ${volume.capacityBytes} bytes already, above the limit of ${limit}: volumes do not shrink`,
          );
        }
        // A volume that is large enough is expanded to what it has: the node's part may not have been done yet.
        const capacityBytes = isWithin(volume.capacityBytes, range)
          ? volume.capacityBytes
          : sizeWithin(range, await sizeRules({ fsType: volume.fsType, kinds }));
        const expanded = await expandVolume(volume, capacityBytes);
        return { capacityBytes: expanded.capacityBytes, nodeExpansionRequired: expanded.isNodeExpansionRequired };
      });
    },
  };
}
