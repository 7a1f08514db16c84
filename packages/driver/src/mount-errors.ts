import {
  FileSystemDamagedError,
  LoopDeviceError,
  MountBusyError,
  NoLoopDeviceError,
  NotBlankError,
  OnlineGrowthRefusedError,
  SilentMountError,
  SymbolicLinkError,
} from '@holdfast/mount';
import { rpcError } from '@holdfast/rpc';
import { withSpaceCode } from './pool/space-code.ts';

const preconditions = [
  FileSystemDamagedError,
  LoopDeviceError,
  MountBusyError,
  NotBlankError,
  OnlineGrowthRefusedError,
  SilentMountError,
  SymbolicLinkError,
];

/** Runs node work. What somebody has to put right first becomes FAILED_PRECONDITION, want of space and of devices RESOURCE_EXHAUSTED; the rest keeps its kind. */
export async function withMountCodes<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await withSpaceCode(work);
  } catch (error) {
    if (error instanceof NoLoopDeviceError) throw rpcError('ResourceExhausted', error.message, { cause: error });
    const known = preconditions.find((kind) => error instanceof kind);
    if (known !== undefined && error instanceof Error)
      throw rpcError('FailedPrecondition', error.message, { cause: error });
    throw error;
  }
}
