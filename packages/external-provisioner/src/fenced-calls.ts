import type { Fence } from '@holdfast/control';
import type { CsiCalls } from './csi-calls.ts';

/** Calls that are made only while the lease is surely ours: two processes must not make and delete volumes side by side. @throws FenceError instead of a call */
export function fencedCalls(calls: CsiCalls, fence: Fence): CsiCalls {
  return {
    async createVolume(plan, secrets, signal) {
      fence.check();
      return await calls.createVolume(plan, secrets, signal);
    },
    async deleteVolume(volumeId, secrets, signal) {
      fence.check();
      return await calls.deleteVolume(volumeId, secrets, signal);
    },
  };
}
