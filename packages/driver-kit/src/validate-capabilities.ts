import type { ValidateVolumeCapabilitiesRequest, ValidateVolumeCapabilitiesResponse } from '@holdfast/csi-spec';
import { type RpcError, rpcError, toRpcError } from '@holdfast/rpc';
import type { z } from 'zod';
import type { Backend, Volume } from './backend.ts';
import { checkAccesses } from './check-access.ts';
import { checkVolumeId } from './check-text.ts';
import { parseParameters } from './class-parameters.ts';
import { checkMutableParameters } from './modify-volume.ts';
import { requireVolume } from './volume-message.ts';

export function validateCapabilitiesHandler<Schema extends z.ZodObject>(backend: Backend<Schema>) {
  return async (request: ValidateVolumeCapabilitiesRequest): Promise<ValidateVolumeCapabilitiesResponse> => {
    checkVolumeId(request.volumeId);
    if (request.volumeCapabilities.length === 0) throw rpcError('InvalidArgument', 'volume_capabilities is required');
    const volume = await requireVolume(backend, request.volumeId);
    // What the backend cannot serve is an answer, not an error: CSI spec, `confirmed` stays unset.
    const refusal = findRefusal(backend, volume, request);
    if (refusal !== undefined) return { confirmed: undefined, message: refusal.message };
    const { volumeContext, volumeCapabilities, parameters, mutableParameters } = request;
    return { confirmed: { volumeContext, volumeCapabilities, parameters, mutableParameters }, message: '' };
  };
}

function findRefusal<Schema extends z.ZodObject>(
  backend: Backend<Schema>,
  volume: Volume,
  request: ValidateVolumeCapabilitiesRequest,
): RpcError | undefined {
  try {
    const accesses = checkAccesses(backend, request.volumeCapabilities);
    backend.chooseFsType?.(parseParameters(backend.parameters, request.parameters), accesses);
    checkMutableParameters(backend, request.mutableParameters);
    const asked = accesses.flatMap((access) =>
      access.kind === 'mount' && access.fsType !== '' ? [access.fsType] : [],
    );
    if (volume.fsType === '' || asked.every((fsType) => fsType === volume.fsType)) return undefined;
    return rpcError('InvalidArgument', `volume ${volume.id} was made for ${volume.fsType}`);
  } catch (error) {
    const refusal = toRpcError(error);
    if (refusal.code === 'InvalidArgument') return refusal;
    throw error;
  }
}
