// What a rig puts into a cluster, and takes out again so that the next rig finds the cluster as this one did.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  csiNodes,
  isNotFound,
  type KubeClient,
  type KubeObject,
  leases,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  type Resource,
  volumeAttachments,
} from '@holdfast/kube';
import { stringify } from 'yaml';
import { readManifests } from './apply.ts';
import type { Backend, Cluster } from './contract.ts';
import { driverNameOf, systemNamespace } from './programs.ts';

const deployFolder = join(import.meta.dirname, '..', '..', 'deploy');
const upstreamRules = join(import.meta.dirname, 'upstream-rbac.yaml');

/** The namespace, the CSIDriver as the examples have it, and each sidecar's rules as `deploy/` ships them. */
export async function prepareCluster(cluster: Cluster, backend: Backend): Promise<void> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: systemNamespace } };
  const example = readManifests(readFileSync(join(deployFolder, 'examples', backend, '1-driver.yaml'), 'utf8'));
  await cluster.apply(stringify(namespace));
  for (const object of example.filter(({ kind }) => kind === 'CSIDriver')) await cluster.apply(stringify(object));
  for (const name of ['provisioner', 'attacher', 'resizer']) {
    await cluster.apply(readFileSync(join(deployFolder, 'chart', 'rbac', `csi-${name}.yaml`), 'utf8'));
  }
}

/** Accounts for upstream's sidecars, with what they ask for beyond ours. */
export async function allowUpstream(cluster: Cluster): Promise<void> {
  await cluster.apply(readFileSync(upstreamRules, 'utf8'));
}

/**
 * For a cluster that outlives its rig, when no program of the rig runs any more: its nodes, the driver's volumes and attachments, the
 * claims and pods that use them, finalizers or not. A test that ended half-way must not be met by the next.
 */
export async function removeObjects(client: KubeClient, backend: Backend, nodeNames: readonly string[]): Promise<void> {
  const driver = driverNameOf(backend);
  for (const { metadata, spec } of (await client.list(pods)).items) {
    if (nodeNames.includes(spec?.nodeName ?? '')) await remove(client, pods, metadata);
  }
  for (const { metadata, spec } of (await client.list(volumeAttachments)).items) {
    if (spec.attacher === driver) await remove(client, volumeAttachments, metadata);
  }
  const volumes = (await client.list(persistentVolumes)).items.filter(({ spec }) => spec?.csi?.driver === driver);
  for (const { spec } of volumes) {
    const { name, namespace } = spec?.claimRef ?? {};
    if (name !== undefined && namespace !== undefined) {
      await remove(client, persistentVolumeClaims, { name, namespace });
    }
  }
  for (const { metadata } of volumes) await remove(client, persistentVolumes, metadata);
  for (const name of nodeNames) {
    await remove(client, nodes, { name });
    await remove(client, csiNodes, { name });
  }
  for (const { metadata } of (await client.list(leases, { namespace: systemNamespace })).items) {
    await remove(client, leases, metadata);
  }
}

async function remove<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  metadata: { readonly name: string; readonly namespace?: string },
): Promise<void> {
  const ref = { name: metadata.name, ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }) };
  try {
    // First the deletion, so that nobody puts a finalizer back.
    await client.delete(resource, ref, { gracePeriodSeconds: 0 });
    await client.patch(resource, ref, { kind: 'merge', body: { metadata: { finalizers: null } } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
