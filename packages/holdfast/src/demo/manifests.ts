import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  csiDrivers,
  type KubeClient,
  type KubeObject,
  persistentVolumeClaims,
  pods,
  type Resource,
  storageClasses,
} from '@holdfast/kube';
import { parseAllDocuments } from 'yaml';
import { findInstallation } from '../installation.ts';

const resources: readonly Resource<KubeObject>[] = [csiDrivers, storageClasses, persistentVolumeClaims, pods];

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

export function readExample(path: string): Manifest[] {
  return parseAllDocuments(readFileSync(join(findInstallation().examplesDir, path), 'utf8')).map(
    (document): Manifest => document.toJS(),
  );
}

function resourceOf(manifest: Manifest): Resource<KubeObject> {
  const resource = resources.find((candidate) => candidate.kind === manifest.kind);
  if (resource === undefined)
    throw new Error(`${manifest.kind} ${manifest.metadata.name}: the demo does not apply this kind`);
  return resource;
}

/** What `kubectl apply --server-side -f` does with a file of deploy/examples. */
export async function applyExample(client: KubeClient, path: string, signal: AbortSignal): Promise<void> {
  for (const manifest of readExample(path)) {
    const patch = { kind: 'apply', body: manifest, force: true } as const;
    await client.patch(resourceOf(manifest), manifest.metadata, patch, { fieldManager: 'holdfast-demo', signal });
  }
}

export async function deleteExample(client: KubeClient, path: string, signal: AbortSignal): Promise<void> {
  for (const manifest of readExample(path)) await client.delete(resourceOf(manifest), manifest.metadata, { signal });
}
