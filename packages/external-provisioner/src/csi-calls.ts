import type { CreateVolumeRequest, Topology } from '@holdfast/csi-spec';
import { ControllerService } from '@holdfast/csi-spec';
import { type Connection, type RpcError, toRpcError } from '@holdfast/rpc';
import { judgeReply, type ReplyVerdict } from './driver-reply.ts';
import type { VolumePlan } from './plan.ts';

export type CreateResult =
  | ReplyVerdict
  /** Nothing was made and nothing will be: the request may change, and the claim may go. */
  | { readonly kind: 'final'; readonly error: RpcError; readonly isInfeasible: boolean }
  /** The place that was asked for has no room. */
  | { readonly kind: 'exhausted'; readonly error: RpcError }
  /** The driver may still be at it, or be done: the very same request must be repeated. */
  | { readonly kind: 'inBackground'; readonly error: RpcError };

export type DeleteResult =
  | { readonly kind: 'deleted' }
  /** The driver knows no such volume, and there is nothing to delete. */
  | { readonly kind: 'unknown'; readonly error: RpcError }
  | { readonly kind: 'failed'; readonly error: RpcError };

export type CapacityResult =
  | { readonly kind: 'known'; readonly availableBytes: bigint; readonly maximumVolumeBytes: bigint | undefined }
  | { readonly kind: 'failed'; readonly error: RpcError };

export interface DeleteParts {
  readonly secrets: Readonly<Record<string, string>>;
  /** The volume is one of an in-tree plug-in, which the metrics tell. */
  readonly isMigrated: boolean;
}

export interface CsiCalls {
  createVolume(plan: VolumePlan, secrets: Readonly<Record<string, string>>, signal: AbortSignal): Promise<CreateResult>;
  deleteVolume(volumeId: string, parts: DeleteParts, signal: AbortSignal): Promise<DeleteResult>;
  /** How much room there is for such volumes. */
  getCapacity(
    volumes: Pick<CreateVolumeRequest, 'volumeCapabilities' | 'parameters'>,
    place: Topology | undefined,
    signal: AbortSignal,
  ): Promise<CapacityResult>;
}

/** @param deps.timeoutMs how long one call may take (`--timeout`) */
export function createCsiCalls(deps: { connection: Connection; driverName: string; timeoutMs: number }): CsiCalls {
  const controller = deps.connection.client(ControllerService);
  const { timeoutMs, driverName } = deps;
  return {
    async createVolume(plan, secrets, signal) {
      const request: CreateVolumeRequest = { ...plan.request, secrets };
      try {
        const options = { timeoutMs, signal, isMigrated: plan.isMigrated };
        return judgeReply(await controller.createVolume(request, options), plan, driverName);
      } catch (error) {
        return createFailure(toRpcError(error));
      }
    },
    async deleteVolume(volumeId, { secrets, isMigrated }, signal) {
      try {
        await controller.deleteVolume({ volumeId, secrets }, { timeoutMs, signal, isMigrated });
        return { kind: 'deleted' };
      } catch (error) {
        return deleteFailure(toRpcError(error));
      }
    },
    async getCapacity({ volumeCapabilities, parameters }, accessibleTopology, signal) {
      try {
        const request = { volumeCapabilities, parameters, accessibleTopology };
        const { availableCapacity, maximumVolumeSize } = await controller.getCapacity(request, { timeoutMs, signal });
        return { kind: 'known', availableBytes: availableCapacity, maximumVolumeBytes: maximumVolumeSize };
      } catch (error) {
        return { kind: 'failed', error: toRpcError(error) };
      }
    },
  };
}

/**
 * A driver has to answer OK for a volume that does not exist (CSI spec, "DeleteVolume"). One that answers NotFound says the
 * same: the request names nothing else that could be missing.
 */
function deleteFailure(error: RpcError): DeleteResult {
  return error.code === 'NotFound' ? { kind: 'unknown', error } : { kind: 'failed', error };
}

/**
 * Which codes of CreateVolume end the matter (CSI spec, "CreateVolume Errors" and "Error Scheme"). A code is final when
 * the specification lets us conclude that no volume was made and none is being made.
 */
export function createFailure(error: RpcError): Exclude<CreateResult, ReplyVerdict> {
  switch (error.code) {
    // The driver gave up waiting, or we did, or the line was cut: the work may go on behind it.
    case 'Canceled':
    case 'DeadlineExceeded':
    case 'Unavailable':
    // Another call for this name is at work.
    case 'Aborted':
      return { kind: 'inBackground', error };
    case 'ResourceExhausted':
      return { kind: 'exhausted', error };
    // The same parameters will not do better next second; the only code that slows the retries down.
    case 'InvalidArgument':
      return { kind: 'final', error, isInfeasible: true };
    case 'OK':
    case 'Unknown':
    case 'NotFound':
    case 'AlreadyExists':
    case 'PermissionDenied':
    case 'FailedPrecondition':
    case 'OutOfRange':
    case 'Unimplemented':
    case 'Internal':
    case 'DataLoss':
    case 'Unauthenticated':
      return { kind: 'final', error, isInfeasible: false };
    default:
      return error.code satisfies never;
  }
}
