import { isNotFound, type KubeClient } from '@holdfast/kube';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';

const manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
export type Manifest = z.infer<typeof manifest>;

const resourceList = z.object({
  resources: z.array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean() })),
});

/** @throws Error that says which document is no object of the API */
export function readManifests(yaml: string): Manifest[] {
  return parseAllDocuments(yaml).flatMap((document, index) => {
    const [problem] = document.errors;
    if (problem !== undefined) throw new Error(`document ${index + 1} is not YAML: ${problem.message}`);
    const value: unknown = document.toJS();
    if (value === null) return [];
    const read = manifest.safeParse(value);
    if (!read.success) throw new Error(`document ${index + 1} has no apiVersion, kind or metadata.name`);
    return [read.data];
  });
}

/** What `kubectl apply --server-side --force-conflicts -f -` does; where each kind lives, the server's discovery says. */
export function createApplier(client: KubeClient, fieldManager: string): (yaml: string) => Promise<void> {
  const discovered = new Map<string, z.infer<typeof resourceList>['resources']>();

  async function pathOf({ apiVersion, kind, metadata }: Manifest): Promise<string> {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const resources = discovered.get(root) ?? (await discover(client, root, apiVersion));
    discovered.set(root, resources);
    const found = resources.find((resource) => resource.kind === kind && !resource.name.includes('/'));
    if (found === undefined) throw new Error(`${kind} ${metadata.name}: the server has no such kind in ${apiVersion}`);
    const namespace = found.namespaced ? `/namespaces/${encodeURIComponent(metadata.namespace ?? 'default')}` : '';
    return `${root}${namespace}/${found.name}/${encodeURIComponent(metadata.name)}`;
  }

  return async (yaml) => {
    for (const object of readManifests(yaml)) {
      await client.request('PATCH', await pathOf(object), object, {
        query: { fieldManager, force: true },
        contentType: 'application/apply-patch+yaml',
      });
    }
  };
}

async function discover(
  client: KubeClient,
  root: string,
  apiVersion: string,
): Promise<z.infer<typeof resourceList>['resources']> {
  try {
    return resourceList.parse((await client.request('GET', root)).body).resources;
  } catch (error) {
    if (isNotFound(error)) throw new Error(`the server does not serve ${apiVersion}`, { cause: error });
    throw error;
  }
}
