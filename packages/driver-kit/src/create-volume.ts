import type { CreateVolumeRequest, CreateVolumeResponse } from '@holdfast/csi-spec';
import { rpcError } from '@holdfast/rpc';
import type { z } from 'zod';
import type { Access, Backend, Segments } from './backend.ts';
import { checkRange, sizeWithin } from './capacity.ts';
import { checkAccesses } from './check-access.ts';
import { checkMapSize, checkName } from './check-text.ts';
import { ownParameters, parseParameters } from './class-parameters.ts';
import { decideExisting } from './decide.ts';
import { type VolumeLocks, volumeKey } from './locks.ts';
import { choosePlacement } from './topology.ts';
import { volumeIdFor } from './volume-id.ts';
import { mustProceed, volumeMessage } from './volume-message.ts';

export function createVolumeHandler<Schema extends z.ZodObject>(deps: {
  backend: Backend<Schema>;
  locks: VolumeLocks;
}) {
  const { backend, locks } = deps;

  return async (request: CreateVolumeRequest): Promise<CreateVolumeResponse> => {
    checkName('name', request.name);
    const accesses = checkAccesses(backend, request.volumeCapabilities);
    checkRange(request.capacityRange);
    refuseUnsupported(request);
    checkMapSize('parameters', request.parameters);
    const parameters = parseParameters(backend.parameters, request.parameters);
    const fsType = backend.chooseFsType?.(parameters, accesses) ?? '';
    const id = volumeIdFor(request.name);
    return locks.exclusive([volumeKey(id)], () => create(request, { id, parameters, accesses, fsType }));
  };

  async function create(
    request: CreateVolumeRequest,
    asked: { id: string; parameters: z.output<Schema>; accesses: readonly Access[]; fsType: string },
  ): Promise<CreateVolumeResponse> {
    const { createVolume, sizeRules } = backend;
    if (createVolume === undefined || sizeRules === undefined)
      throw rpcError('Unimplemented', 'volumes are not made here');
    const givenParameters = ownParameters(request.parameters);
    const existing = await backend.findVolume(asked.id);
    if (existing !== undefined) {
      const { capacityRange: range, accessibilityRequirements: topology } = request;
      mustProceed(decideExisting(existing, { range, parameters: givenParameters, fsType: asked.fsType, topology }));
      return { volume: volumeMessage(existing) };
    }
    const rules = await sizeRules({ fsType: asked.fsType, kinds: asked.accesses.map((access) => access.kind) });
    const volume = await createVolume({
      ...asked,
      name: request.name,
      capacityBytes: sizeWithin(request.capacityRange, rules),
      givenParameters,
      topology: await place(request),
      secrets: request.secrets,
    });
    return { volume: volumeMessage(volume) };
  }

  async function place(request: CreateVolumeRequest): Promise<Segments[]> {
    if (backend.topology === undefined) return [];
    return [choosePlacement(request.accessibilityRequirements, await backend.topology.placements())];
  }
}

function refuseUnsupported(request: CreateVolumeRequest): void {
  if (request.volumeContentSource !== undefined) {
    throw rpcError('InvalidArgument', 'volume_content_source is not supported: this driver makes empty volumes only');
  }
  const mutable = Object.keys(request.mutableParameters)[0];
  if (mutable !== undefined) {
    throw rpcError(
      'InvalidArgument',
      `mutable parameter ${JSON.stringify(mutable)} is not supported: this driver cannot modify volumes`,
    );
  }
}
