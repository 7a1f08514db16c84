import {
  FileSystemDamagedError,
  LoopDeviceError,
  MountBusyError,
  NotBlankError,
  OnlineGrowthRefusedError,
  SymbolicLinkError,
} from '@holdfast/mount';
import { rpcError } from '@holdfast/rpc';

const preconditions = [
  FileSystemDamagedError,
  LoopDeviceError,
  MountBusyError,
  NotBlankError,
  OnlineGrowthRefusedError,
  SymbolicLinkError,
];

/** Runs node work. What somebody has to put right first becomes FAILED_PRECONDITION; the rest keeps its kind. */
export async function withMountCodes<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const known = preconditions.find((kind) => error instanceof kind);
    if (known !== undefined && error instanceof Error)
      throw rpcError('FailedPrecondition', error.message, { cause: error });
    throw error;
  }
}
