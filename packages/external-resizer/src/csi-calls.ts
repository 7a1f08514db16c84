import { formatBytes } from '@holdfast/core';
import { ControllerService, volumeCapabilityFor } from '@holdfast/csi-spec';
import type { PersistentVolume } from '@holdfast/kube';
import { type Connection, isFinalCode, type RpcError, toRpcError } from '@holdfast/rpc';
import type { DriverTraits } from './driver-traits.ts';

export type ExpandResult =
  | { readonly kind: 'expanded'; readonly sizeBytes: bigint; readonly isNodeExpansionRequired: boolean }
  /** The driver says that it is done, and what it says cannot be. */
  | { readonly kind: 'wrongReply'; readonly message: string }
  | { readonly kind: 'failed'; readonly error: RpcError; readonly verdict: Verdict };

export interface Verdict {
  /** Nothing of this call goes on in the driver. */
  readonly isFinal: boolean;
  /** The size will not do, however often it is asked for. */
  readonly isInfeasible: boolean;
  /** The driver only expands volumes that nobody uses. */
  readonly isInUse: boolean;
}

export type ModifyResult =
  | { readonly kind: 'modified' }
  | { readonly kind: 'failed'; readonly error: RpcError; readonly verdict: ModifyVerdict };

export interface ModifyVerdict {
  /** Nothing of this call goes on in the driver. */
  readonly isFinal: boolean;
  /** These parameters will not do, however often they are asked for. */
  readonly isInfeasible: boolean;
}

export interface ExpandParts {
  readonly requiredBytes: bigint;
  readonly secrets: Readonly<Record<string, string>>;
  /** The volume is one of an in-tree plug-in, which the metrics tell. */
  readonly isMigrated: boolean;
}

export interface CsiCalls {
  /** @throws AccessModeError when the volume's access modes have no counterpart in CSI */
  expandVolume(volume: PersistentVolume, request: ExpandParts, signal: AbortSignal): Promise<ExpandResult>;
  modifyVolume(
    volume: PersistentVolume,
    parameters: Readonly<Record<string, string>>,
    secrets: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<ModifyResult>;
}

export interface CsiCallsDeps {
  readonly connection: Connection;
  readonly driver: DriverTraits;
  /** How long ControllerExpandVolume may take (`--resize-timeout`). */
  readonly resizeTimeoutMs: number;
  /** How long ControllerModifyVolume may take (`--modify-timeout`). */
  readonly modifyTimeoutMs: number;
}

export function createCsiCalls(deps: CsiCallsDeps): CsiCalls {
  const { driver } = deps;
  const controller = deps.connection.client(ControllerService);
  return {
    async expandVolume(volume, { requiredBytes, secrets, isMigrated }, signal) {
      const request = {
        volumeId: volume.spec?.csi?.volumeHandle ?? '',
        capacityRange: { requiredBytes, limitBytes: 0n },
        secrets: { ...secrets },
        volumeCapability: volumeCapabilityFor(volume.spec ?? {}, {
          fsType: volume.spec?.csi?.fsType ?? '',
          hasSingleNodeMultiWriter: driver.hasSingleNodeMultiWriter,
        }),
      };
      try {
        const options = { timeoutMs: deps.resizeTimeoutMs, signal, isMigrated };
        const reply = await controller.controllerExpandVolume(request, options);
        if (reply.capacityBytes < requiredBytes) {
          return { kind: 'wrongReply', message: tooSmall(driver.driverName, reply.capacityBytes, requiredBytes) };
        }
        return {
          kind: 'expanded',
          sizeBytes: reply.capacityBytes,
          isNodeExpansionRequired: reply.nodeExpansionRequired,
        };
      } catch (cause) {
        const error = toRpcError(cause);
        return { kind: 'failed', error, verdict: judge(error) };
      }
    },
    async modifyVolume(volume, parameters, secrets, signal) {
      const request = {
        volumeId: volume.spec?.csi?.volumeHandle ?? '',
        secrets: { ...secrets },
        mutableParameters: { ...parameters },
      };
      try {
        await controller.controllerModifyVolume(request, { timeoutMs: deps.modifyTimeoutMs, signal });
        return { kind: 'modified' };
      } catch (cause) {
        const error = toRpcError(cause);
        return { kind: 'failed', error, verdict: judgeModify(error) };
      }
    },
  };
}

/**
 * What a failure of ControllerExpandVolume says (CSI spec, "ControllerExpandVolume Errors" and "Error Scheme"). A code
 * is final when the specification lets us conclude that the volume is not, and is not being, expanded.
 */
export function judge(error: RpcError): Verdict {
  switch (error.code) {
    // The driver gave up waiting, or we did, or the line was cut: the work may go on behind it.
    case 'Canceled':
    case 'DeadlineExceeded':
    case 'Unavailable':
    // Another call for this volume is at work.
    case 'Aborted':
    // The back end has no room now, which another moment may change.
    case 'ResourceExhausted':
      return { isFinal: false, isInfeasible: false, isInUse: false };
    // The size, or the volume, is none that this driver can serve.
    case 'InvalidArgument':
    case 'OutOfRange':
    case 'NotFound':
      return { isFinal: true, isInfeasible: true, isInUse: false };
    case 'FailedPrecondition':
      return { isFinal: true, isInfeasible: false, isInUse: true };
    case 'OK':
    case 'Unknown':
    case 'AlreadyExists':
    case 'PermissionDenied':
    case 'Unimplemented':
    case 'Internal':
    case 'DataLoss':
    case 'Unauthenticated':
      return { isFinal: true, isInfeasible: false, isInUse: false };
    default:
      return error.code satisfies never;
  }
}

/**
 * What a failure of ControllerModifyVolume says (CSI spec, "ControllerModifyVolume Errors"). Only InvalidArgument is about
 * the parameters; a volume that is not found, unlike for an expansion, may be on its way.
 */
export function judgeModify({ code }: RpcError): ModifyVerdict {
  return { isFinal: isFinalCode(code), isInfeasible: code === 'InvalidArgument' };
}

function tooSmall(driverName: string, gotBytes: bigint, requiredBytes: bigint): string {
  return (
    `driver "${driverName}" says that it expanded the volume, but to ${formatBytes(gotBytes)} where at least ` +
    `${formatBytes(requiredBytes)} was asked for; this is a fault of the driver`
  );
}
