import type {
  ControllerPublishVolumeRequest,
  ControllerService,
  ControllerUnpublishVolumeRequest,
} from '@holdfast/csi-spec';
import type { Handlers } from '@holdfast/rpc';
import type { Backend } from './backend.ts';
import { checkAccess } from './check-access.ts';
import { checkNodeId, checkVolumeId } from './check-text.ts';
import { decideAttach } from './decide.ts';
import { type VolumeLocks, volumeKey } from './locks.ts';
import { mustProceed, requireVolume } from './volume-message.ts';

export function attachHandlers(deps: { backend: Backend; locks: VolumeLocks }): Handlers<ControllerService> {
  const { backend, locks } = deps;
  const { attachVolume, detachVolume, findNode } = backend;
  if (attachVolume === undefined || detachVolume === undefined || findNode === undefined) return {};

  return {
    controllerPublishVolume: async (request: ControllerPublishVolumeRequest) => {
      const { volumeId, nodeId, readonly: isReadOnly } = request;
      checkVolumeId(volumeId);
      checkNodeId(nodeId);
      const access = checkAccess(backend, request.volumeCapability);
      return locks.exclusive([volumeKey(volumeId)], () =>
        // Two volumes attached at the same moment must not both take a node's last place.
        locks.inTurn(`node ${nodeId}`, async () => {
          const volume = await requireVolume(backend, volumeId);
          mustProceed(decideAttach(volume, { nodeId, isReadOnly, mode: access.mode }, await findNode(nodeId)));
          return { publishContext: { ...(await attachVolume(volume, { nodeId, isReadOnly }, access)) } };
        }),
      );
    },
    controllerUnpublishVolume: async ({ volumeId, nodeId }: ControllerUnpublishVolumeRequest) => {
      checkVolumeId(volumeId);
      if (nodeId !== '') checkNodeId(nodeId);
      await locks.exclusive([volumeKey(volumeId)], () => detachVolume(volumeId, nodeId === '' ? undefined : nodeId));
      return {};
    },
  };
}
