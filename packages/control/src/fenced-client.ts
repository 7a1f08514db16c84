import type { KubeClient } from '@holdfast/kube';
import type { Fence } from './fence.ts';

/** A client that reads as ever and writes only while `fence` is held. @throws FenceError instead of a write */
export function fencedClient(client: KubeClient, fence: Fence): KubeClient {
  return {
    get: client.get,
    list: client.list,
    watch: client.watch,
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
    async request(method, path, body, options) {
      if (method !== 'GET') fence.check();
      return await client.request(method, path, body, options);
    },
  };
}
