import { isNotFound, type KubeClient, type ObjectMeta } from '@holdfast/kube';
import * as z from 'zod';
import type { OwnerState } from './decide.ts';

type OwnerReference = NonNullable<ObjectMeta['ownerReferences']>[number];

const resourcesShape = z.object({
  resources: z.array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean() })),
});
const objectShape = z.object({ metadata: z.object({ uid: z.string() }) });

/** Asks the API itself: what is deleted for want of an owner cannot be brought back. An owner is in its dependent's namespace, or in none. */
export async function lookForOwner(
  client: KubeClient,
  { apiVersion, kind, name, uid }: OwnerReference,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<OwnerState> {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const served = await read(client, root, signal);
  if (served === undefined) {
    return 'unknown';
  }
  const resource = resourcesShape.parse(served).resources.find((one) => one.kind === kind && !one.name.includes('/'));
  if (resource === undefined || (resource.namespaced && namespace === undefined)) {
    return 'unknown';
  }
  const scope = resource.namespaced ? `/namespaces/${namespace ?? ''}` : '';
  const found = await read(client, `${root}${scope}/${resource.name}/${name}`, signal);
  return found !== undefined && objectShape.parse(found).metadata.uid === uid ? 'present' : 'absent';
}

async function read(client: KubeClient, path: string, signal: AbortSignal): Promise<unknown> {
  try {
    return (await client.request('GET', path, undefined, { signal })).body;
  } catch (error) {
    if (isNotFound(error)) {
      return undefined;
    }
    throw error;
  }
}
