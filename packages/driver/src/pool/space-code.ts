import { errorMessage } from '@holdfast/core';
import { CommandError } from '@holdfast/mount';
import { rpcError } from '@holdfast/rpc';

// EDQUOT, which libuv has no name for: its code is "Unknown system error -122".
const quotaErrno = -122;

/** A pool that is full is RESOURCE_EXHAUSTED, CSI spec "CreateVolume Errors", whether a tool or the kernel says so. */
export async function withSpaceCode<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isFull(error))
      throw rpcError('ResourceExhausted', `the pool is full: ${errorMessage(error)}`, { cause: error });
    throw error;
  }
}

export function isFull(error: unknown): boolean {
  return (
    (error instanceof CommandError && /No space left|Disk quota exceeded/.test(error.message)) ||
    (error instanceof Error && 'code' in error && error.code === 'ENOSPC') ||
    (error instanceof Error && 'errno' in error && error.errno === quotaErrno)
  );
}
