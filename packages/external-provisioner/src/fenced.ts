import type { Fence } from '@holdfast/control';
import type { KubeClient } from '@holdfast/kube';
import type { CsiCalls } from './csi-calls.ts';

/** A client that writes only while the lease is surely ours: a process that was paused wakes up deposed and does not know it yet. */
export function fencedClient(client: KubeClient, fence: Fence): KubeClient {
  return {
    get: client.get,
    list: client.list,
    watch: client.watch,
    request: client.request,
    async create(resource, object, options) {
      fence.check();
      return await client.create(resource, object, options);
    },
    async patch(resource, ref, patch, options) {
      fence.check();
      return await client.patch(resource, ref, patch, options);
    },
    async replace(resource, ref, object, options) {
      fence.check();
      return await client.replace(resource, ref, object, options);
    },
    async delete(resource, ref, options) {
      fence.check();
      await client.delete(resource, ref, options);
    },
  };
}

/** The driver's side of {@link fencedClient}: two processes must not make and delete volumes side by side. */
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
