import {
  type ControllerService,
  type NodeService,
  StorageHealthErrorType,
  type VolumeHealth,
  VolumeHealthErrorType,
} from '@holdfast/csi-spec';
import type { Handlers } from '@holdfast/rpc';
import type { Backend, HealthProblem } from './backend.ts';
import { checkVolumeId } from './check-text.ts';
import { readPage } from './page.ts';
import { requireVolume } from './volume-message.ts';

// No locks: how a volume is, is wanted also while it is being worked on.
export function controllerHealthHandlers(backend: Backend): Handlers<ControllerService> {
  const { volumeHealth, listVolumes } = backend;
  if (volumeHealth === undefined) return {};
  return {
    controllerGetVolumeHealth: async ({ volumeId }) => {
      checkVolumeId(volumeId);
      const volume = await requireVolume(backend, volumeId);
      return { volumeHealth: healthMessage(volumeId, await volumeHealth(volume)) };
    },
    ...(listVolumes === undefined
      ? {}
      : {
          controllerListVolumeHealth: async (request) => {
            const { page, nextToken } = await readPage(request, listVolumes);
            const entries = await Promise.all(
              page.map(async (volume) => healthMessage(volume.id, await volumeHealth(volume))),
            );
            return { entries, nextToken };
          },
        }),
  };
}

export function nodeHealthHandlers(backend: Backend): Handlers<NodeService> {
  const { volumeHealthOnNode, storageHealth } = backend;
  return {
    ...(volumeHealthOnNode === undefined
      ? {}
      : {
          nodeGetVolumeHealth: async ({ volumeId }) => {
            checkVolumeId(volumeId);
            const volume = await requireVolume(backend, volumeId);
            return { volumeHealth: healthMessage(volumeId, await volumeHealthOnNode(volume)) };
          },
        }),
    ...(storageHealth === undefined
      ? {}
      : {
          nodeGetStorageHealth: async () => ({
            backendHealth: (await storageHealth()).map(({ kind, reason, message }) => ({
              status: StorageHealthErrorType[kind],
              reason,
              message,
              volumeCapability: undefined,
            })),
          }),
        }),
  };
}

function healthMessage(volumeId: string, problems: readonly HealthProblem[]): VolumeHealth {
  return {
    volumeId,
    healthStatuses: problems.map(({ kind, reason, message }) => ({
      status: VolumeHealthErrorType[kind],
      reason,
      message,
    })),
  };
}
