import type {
  ControllerPublishVolumeRequest,
  ControllerService,
  ControllerUnpublishVolumeRequest,
} from '@holdfast/csi-spec';
import type { Handlers } from '@holdfast/rpc';
import type { Backend, Volume } from './backend.ts';
import { checkAccess } from './check-access.ts';
import { checkNodeId, checkVolumeId } from './check-text.ts';
import { decideAttach } from './decide.ts';
import { type VolumeLocks, volumeKey } from './locks.ts';
import { createNodePlaces } from './node-places.ts';
import { mustProceed, requireVolume } from './volume-message.ts';

export function attachHandlers(deps: { backend: Backend; locks: VolumeLocks }): Handlers<ControllerService> {
  const { backend, locks } = deps;
  const { attachVolume, detachVolume, findNode } = backend;
  if (attachVolume === undefined || detachVolume === undefined || findNode === undefined) return {};
  const places = createNodePlaces();

  type Asked = Parameters<typeof decideAttach>[1];
  type Claimed = { readonly volume: Volume; readonly leave: () => void };

  /**
   * Two volumes attached at the same moment must not both take a node's last place, so places are counted in turn; attaching, which may
   * take long, is not. @returns what to wait for, where all that is left is taken by others, who may yet fail
   */
  const tryClaim = (volumeId: string, asked: Asked): Promise<Claimed | { readonly next: Promise<void> }> =>
    locks.inTurn(`node ${asked.nodeId}`, async () => {
      const volume = await requireVolume(backend, volumeId);
      // Before the backend counts: what ends meanwhile may be counted twice, but is not missed by both.
      const { count, next } = places.taken(asked.nodeId);
      const node = await findNode(asked.nodeId);
      const attachedVolumes = (node?.attachedVolumes ?? 0) + count;
      const decision = decideAttach(volume, asked, node === undefined ? undefined : { ...node, attachedVolumes });
      if (decision.kind === 'refuse' && decision.code === 'ResourceExhausted' && count > 0) return { next };
      return { volume, leave: mustProceed(decision) ? places.take(asked.nodeId) : () => {} };
    });

  async function claim(volumeId: string, asked: Asked): Promise<Claimed> {
    for (;;) {
      const outcome = await tryClaim(volumeId, asked);
      if (!('next' in outcome)) return outcome;
      await outcome.next;
    }
  }

  return {
    controllerPublishVolume: async (request: ControllerPublishVolumeRequest) => {
      const { volumeId, nodeId, readonly: isReadOnly } = request;
      checkVolumeId(volumeId);
      checkNodeId(nodeId);
      const access = checkAccess(backend, request.volumeCapability);
      return locks.exclusive([volumeKey(volumeId)], async () => {
        const { volume, leave } = await claim(volumeId, { nodeId, isReadOnly, mode: access.mode });
        try {
          return { publishContext: { ...(await attachVolume(volume, { nodeId, isReadOnly }, access)) } };
        } finally {
          leave();
        }
      });
    },
    controllerUnpublishVolume: async ({ volumeId, nodeId }: ControllerUnpublishVolumeRequest) => {
      checkVolumeId(volumeId);
      if (nodeId !== '') checkNodeId(nodeId);
      await locks.exclusive([volumeKey(volumeId)], () => detachVolume(volumeId, nodeId === '' ? undefined : nodeId));
      return {};
    },
  };
}
