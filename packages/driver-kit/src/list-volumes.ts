import type { ControllerService, GetCapacityRequest, ListVolumesRequest } from '@holdfast/csi-spec';
import type { Handlers } from '@holdfast/rpc';
import type { z } from 'zod';
import type { Backend } from './backend.ts';
import { canAttachVolumes } from './capabilities.ts';
import { checkAccess } from './check-access.ts';
import { checkVolumeId } from './check-text.ts';
import { parseParameters } from './class-parameters.ts';
import { readPage } from './page.ts';
import { fits } from './topology.ts';
import { publishedNodeIds, requireVolume, volumeMessage } from './volume-message.ts';

/** What is read and never changed: one volume, all volumes, the space left. */
export function listHandlers<Schema extends z.ZodObject>(backend: Backend<Schema>): Handlers<ControllerService> {
  const { listVolumes, availableBytes } = backend;
  return {
    controllerGetVolume: async ({ volumeId }) => {
      checkVolumeId(volumeId);
      const volume = await requireVolume(backend, volumeId);
      return { volume: volumeMessage(volume), status: { publishedNodeIds: publishedNodeIds(volume) } };
    },
    ...(listVolumes === undefined ? {} : { listVolumes: (request) => list(listVolumes, request) }),
    ...(availableBytes === undefined ? {} : { getCapacity: (request) => capacity(availableBytes, request) }),
  };

  async function list(listVolumes: NonNullable<Backend['listVolumes']>, request: ListVolumesRequest) {
    const { page, nextToken } = await readPage(request, listVolumes);
    return {
      entries: page.map((volume) => ({
        volume: volumeMessage(volume),
        status: canAttachVolumes(backend) ? { publishedNodeIds: publishedNodeIds(volume) } : undefined,
      })),
      nextToken,
    };
  }

  async function capacity(availableBytes: NonNullable<Backend['availableBytes']>, request: GetCapacityRequest) {
    const parameters = parseParameters(backend.parameters, request.parameters);
    const accesses = request.volumeCapabilities.map((capability) => checkAccess(backend, capability));
    const fsType = backend.chooseFsType?.(parameters, accesses) ?? '';
    const rules = await backend.sizeRules?.({ fsType, kinds: accesses.map((access) => access.kind) });
    const term = request.accessibleTopology?.segments;
    const placements = await backend.topology?.placements();
    const isHere =
      term === undefined || placements === undefined || placements.some((placement) => fits(placement, term));
    const availableCapacity = isHere ? await availableBytes() : 0n;
    // Kubernetes' scheduler goes by the maximum alone where there is one, so it must not promise more than is left.
    const maximumBytes =
      rules === undefined || rules.maximumBytes < availableCapacity ? rules?.maximumBytes : availableCapacity;
    return {
      availableCapacity,
      maximumVolumeSize: maximumBytes,
      minimumVolumeSize: rules?.minimumBytes,
    };
  }
}
