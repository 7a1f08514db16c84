import type { NodePublishVolumeRequest, NodeService } from '@holdfast/csi-spec';
import { type Handlers, rpcError } from '@holdfast/rpc';
import type { Access, Backend, Volume } from './backend.ts';
import { canStageVolumes } from './capabilities.ts';
import { checkAccess, isReadOnlyAccess } from './check-access.ts';
import { checkPath, checkVolumeId } from './check-text.ts';
import { decidePublish } from './decide.ts';
import { isInline, publishInline } from './inline-volumes.ts';
import { type VolumeLocks, volumeKey } from './locks.ts';
import { mustProceed, requireVolume } from './volume-message.ts';

interface PublishDeps {
  readonly backend: Backend;
  readonly locks: VolumeLocks;
  readonly nodeId: string;
}

export function publishHandlers(deps: PublishDeps): Handlers<NodeService> {
  const { backend, locks, nodeId } = deps;
  return {
    nodePublishVolume: async (request) => {
      const { volumeId, targetPath } = request;
      checkVolumeId(volumeId);
      checkPath('target_path', targetPath);
      const access = checkAccess(backend, request.volumeCapability);
      if (isInline(request.volumeContext)) {
        await locks.exclusive([volumeKey(volumeId)], async () => {
          await publishInline(backend, request, access);
          await giveToGroup(request, access, request.readonly || isReadOnlyAccess(access));
        });
        return {};
      }
      if (canStageVolumes(backend)) checkStagingPath(request.stagingTargetPath);
      await locks.exclusive([volumeKey(volumeId)], async () =>
        publish(await requireVolume(backend, volumeId), request, access),
      );
      return {};
    },
    // Unknown volumes included: kubelet also cleans up after what it only suspects, and would retry an error for ever.
    nodeUnpublishVolume: async ({ volumeId, targetPath }) => {
      checkVolumeId(volumeId);
      checkPath('target_path', targetPath);
      await locks.exclusive([volumeKey(volumeId)], async () => {
        // Nothing in the request tells an inline volume from another.
        const wasInline = (await backend.inline?.unpublish(volumeId, targetPath)) ?? false;
        if (!wasInline) await backend.unpublishVolume(volumeId, targetPath);
      });
      return {};
    },
    ...stageHandlers(deps),
  };

  async function publish(volume: Volume, request: NodePublishVolumeRequest, access: Access): Promise<void> {
    const { targetPath } = request;
    // What is attached or staged read-only cannot be published otherwise, so that is what a repeated call will find.
    const isAttachedReadOnly = volume.attachments.some((one) => one.nodeId === nodeId && one.isReadOnly);
    const isReadOnly = request.readonly || isReadOnlyAccess(access) || isAttachedReadOnly;
    const publications = await backend.publications(volume, targetPath);
    if (mustProceed(decidePublish(volume.id, { targetPath, isReadOnly, access }, publications))) {
      await backend.publishVolume({
        volume,
        targetPath,
        stagingPath: request.stagingTargetPath,
        access,
        isReadOnly,
        publishContext: request.publishContext,
        context: request.volumeContext,
        secrets: request.secrets,
      });
    }
    await giveToGroup(request, access, isReadOnly);
  }

  // Also of a volume that was published before: the last try may have ended between the two. A pod starts after this call.
  async function giveToGroup(
    { volumeId, targetPath }: NodePublishVolumeRequest,
    access: Access,
    isReadOnly: boolean,
  ): Promise<void> {
    if (access.kind === 'block' || access.mountGroup === undefined || isReadOnly) return;
    await backend.applyMountGroup?.(volumeId, targetPath, access.mountGroup);
  }
}

function stageHandlers({ backend, locks }: PublishDeps): Handlers<NodeService> {
  const { stageVolume, unstageVolume } = backend;
  if (stageVolume === undefined || unstageVolume === undefined) return {};
  return {
    nodeStageVolume: async (request) => {
      const { volumeId, stagingTargetPath: stagingPath, publishContext, secrets } = request;
      checkVolumeId(volumeId);
      checkPath('staging_target_path', stagingPath);
      const access = checkAccess(backend, request.volumeCapability);
      await locks.exclusive([volumeKey(volumeId)], async () => {
        const volume = await requireVolume(backend, volumeId);
        await stageVolume({ volume, stagingPath, access, publishContext, secrets });
      });
      return {};
    },
    nodeUnstageVolume: async ({ volumeId, stagingTargetPath }) => {
      checkVolumeId(volumeId);
      checkPath('staging_target_path', stagingTargetPath);
      await locks.exclusive([volumeKey(volumeId)], () => unstageVolume(volumeId, stagingTargetPath));
      return {};
    },
  };
}

function checkStagingPath(path: string): void {
  if (path === '') {
    throw rpcError(
      'FailedPrecondition',
      'staging_target_path is missing: this driver stages volumes before it publishes them',
    );
  }
  checkPath('staging_target_path', path);
}
