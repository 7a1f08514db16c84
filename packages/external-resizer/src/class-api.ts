import { errorMessage, type Logger } from '@holdfast/core';
import { apiVersionOf, isNotFound, type KubeClient, volumeAttributesClasses } from '@holdfast/kube';
import * as z from 'zod';

const resourceList = z.object({ resources: z.array(z.object({ name: z.string() })) });

/**
 * Whether the API server serves VolumeAttributesClass, which Kubernetes has in v1 from 1.34 on. Where it cannot be asked,
 * it is taken to be there: the cache of classes goes on trying, and says why it fails.
 */
export async function servesAttributesClasses(deps: {
  client: KubeClient;
  log: Logger;
  signal: AbortSignal;
}): Promise<boolean> {
  const { client, log, signal } = deps;
  const apiVersion = apiVersionOf(volumeAttributesClasses);
  try {
    const { body } = await client.request('GET', `/apis/${apiVersion}`, undefined, { signal });
    const { resources } = resourceList.parse(body);
    if (resources.some(({ name }) => name === volumeAttributesClasses.plural)) return true;
  } catch (error) {
    signal.throwIfAborted();
    if (!isNotFound(error)) {
      log.error('Cannot tell whether the API server has VolumeAttributesClass', { error: errorMessage(error) });
      return true;
    }
  }
  log.info('Volumes are not modified: the API server does not have VolumeAttributesClass', { apiVersion });
  return false;
}
