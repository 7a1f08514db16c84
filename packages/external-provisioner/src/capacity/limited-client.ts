import { systemClock } from '@holdfast/core';
import { createTokenBucket, type KubeClient } from '@holdfast/kube';

/** A client whose writes are no more than so many a second: of numbers that change all the time the latest is enough. */
export function limitedClient(client: KubeClient, { qps, burst }: { qps: number; burst: number }): KubeClient {
  const bucket = createTokenBucket({ qps, burst, clock: systemClock });
  return {
    ...client,
    async create(resource, object, options) {
      await bucket.take(options?.signal);
      return await client.create(resource, object, options);
    },
    async patch(resource, ref, patch, options) {
      await bucket.take(options?.signal);
      return await client.patch(resource, ref, patch, options);
    },
    async delete(resource, ref, options) {
      await bucket.take(options?.signal);
      await client.delete(resource, ref, options);
    },
  };
}
