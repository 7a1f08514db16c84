import { type KubeClient, KubeError, type OwnerReference } from '@holdfast/kube';
import * as z from 'zod';

const objectSchema = z.object({
  metadata: z.object({
    uid: z.string(),
    ownerReferences: z
      .array(
        z.object({
          apiVersion: z.string(),
          kind: z.string(),
          name: z.string(),
          uid: z.string(),
          controller: z.boolean().optional(),
        }),
      )
      .optional(),
  }),
});

const plurals: Readonly<Record<string, string>> = {
  Pod: 'pods',
  ReplicaSet: 'replicasets',
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
};

/**
 * Who owns what this process makes: the pod it runs in (level 0), the pod's controller (1), that one's controller (2). The last
 * step up needs no look at the owner itself, and so no permission to.
 */
export async function findOwner(deps: {
  client: KubeClient;
  namespace: string;
  podName: string;
  level: number;
  signal: AbortSignal;
}): Promise<OwnerReference> {
  const { client, namespace, podName, level, signal } = deps;
  let at = { apiVersion: 'v1', kind: 'Pod', name: podName };
  for (let left = level; ; left -= 1) {
    const { metadata } = await read(client, namespace, at, signal);
    if (left === 0) return { ...at, uid: metadata.uid, controller: true };
    const above = metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (!above) {
      throw new Error(
        `${at.kind} ${namespace}/${at.name} has no controller: set --capacity-ownerref-level to fewer levels, or to -1`,
      );
    }
    const { apiVersion, kind, name, uid } = above;
    if (left === 1) return { apiVersion, kind, name, uid, controller: true };
    at = { apiVersion, kind, name };
  }
}

async function read(
  client: KubeClient,
  namespace: string,
  { apiVersion, kind, name }: { apiVersion: string; kind: string; name: string },
  signal: AbortSignal,
): Promise<z.infer<typeof objectSchema>> {
  const plural = plurals[kind] ?? `${kind.toLowerCase()}s`;
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const path = `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`;
  try {
    const { body } = await client.request('GET', path, undefined, { signal });
    return objectSchema.parse(body);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    throw new Error(
      `${kind} ${namespace}/${name}, an owner of the capacity objects, cannot be read: ${error.message}`,
      {
        cause: error,
      },
    );
  }
}
