import type { DeleteVolumeRequest, DeleteVolumeResponse } from '@holdfast/csi-spec';
import { rpcError } from '@holdfast/rpc';
import type { Backend } from './backend.ts';
import { checkVolumeId } from './check-text.ts';
import { type VolumeLocks, volumeKey } from './locks.ts';
import { publishedNodeIds } from './volume-message.ts';

export function deleteVolumeHandler(deps: {
  backend: Pick<Backend, 'findVolume' | 'deleteVolume'>;
  locks: VolumeLocks;
}) {
  const { backend, locks } = deps;
  return async (request: DeleteVolumeRequest): Promise<DeleteVolumeResponse> => {
    const id = request.volumeId;
    checkVolumeId(id);
    await locks.exclusive([volumeKey(id)], async () => {
      const volume = await backend.findVolume(id);
      if (volume !== undefined && volume.attachments.length > 0) {
        throw rpcError(
          'FailedPrecondition',
          `volume ${id} is attached to node ${publishedNodeIds(volume).join(', ')}: detach it first`,
        );
      }
      // Also when it is not found: a crash may have left parts that only the backend knows of.
      await backend.deleteVolume?.(id);
    });
    return {};
  };
}
