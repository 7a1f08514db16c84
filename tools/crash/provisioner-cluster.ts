import {
  csiNodes,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  secrets,
  storageClasses,
  volumeSnapshotContents,
  volumeSnapshots,
} from '@holdfast/kube';
import type { CrashRig } from '@holdfast/sandbox/testing';
import { addBoundClaim, claimOf, NAMESPACE } from './bound-claims.ts';
import { ifFound } from './cluster.ts';
import { until } from './wait.ts';

export const ZONE = 'topology.example.com/zone';
const places = [
  ['n1', 'z1'],
  ['n2', 'z2'],
  ['n3', 'z3'],
] as const;

/** Three nodes with the driver, each in a zone of its own, and the class `fast`. */
export async function addPlaces(rig: CrashRig, parameters: Readonly<Record<string, string>> = {}): Promise<void> {
  const { cluster, driver } = rig;
  await cluster.client.create(storageClasses, {
    metadata: { name: 'fast' },
    provisioner: driver.name,
    parameters: { tier: 'gold', ...parameters },
  });
  for (const [name, zone] of places) {
    await cluster.client.create(nodes, { metadata: { name, labels: { [ZONE]: zone } } });
    const drivers = [{ name: driver.name, nodeID: name, topologyKeys: [ZONE] }];
    await cluster.client.create(csiNodes, { metadata: { name }, spec: { drivers } });
  }
}

/** As external-snapshotter leaves it. */
export async function addSnapshot({ cluster: { client }, driver }: CrashRig): Promise<void> {
  const apiVersion = 'snapshot.storage.k8s.io/v1';
  const metadata = { name: 'snap', namespace: NAMESPACE };
  const { metadata: made } = await client.create(volumeSnapshots, {
    apiVersion,
    kind: 'VolumeSnapshot',
    metadata,
    spec: { source: { volumeSnapshotContentName: 'content' } },
  });
  await client.create(volumeSnapshotContents, {
    apiVersion,
    kind: 'VolumeSnapshotContent',
    metadata: { name: 'content' },
    spec: {
      deletionPolicy: 'Delete',
      driver: driver.name,
      source: { snapshotHandle: 'handle' },
      volumeSnapshotRef: { ...metadata, uid: made.uid },
    },
  });
  const status = { subresource: 'status' } as const;
  const content = { status: { readyToUse: true, snapshotHandle: 'handle' } };
  await client.patch(volumeSnapshotContents, { name: 'content' }, { kind: 'merge', body: content }, status);
  const ready = { status: { readyToUse: true, boundVolumeSnapshotContentName: 'content', restoreSize: '1Gi' } };
  await client.patch(volumeSnapshots, metadata, { kind: 'merge', body: ready }, status);
}

let sources = 0;

/** A bound claim to clone. @returns its name */
export async function addSource(rig: CrashRig, signal: AbortSignal): Promise<string> {
  sources += 1;
  const name = `source-${sources}`;
  await addBoundClaim(rig, { name, storageClassName: 'fast', reclaimPolicy: 'Delete' });
  await until(`${name} is bound`, signal, async () => {
    const volume = await ifFound(rig.cluster.client.get(persistentVolumes, { name }));
    return volume?.status?.phase === 'Bound' && (await claimOf(rig, name))?.status?.phase === 'Bound';
  });
  return name;
}

export function isSource(name: string): boolean {
  return name.startsWith('source-');
}

export async function ensureSecret({ cluster: { client } }: CrashRig): Promise<void> {
  const metadata = { name: 'provision', namespace: NAMESPACE };
  if (await ifFound(client.get(secrets, metadata))) return;
  await client.create(secrets, { metadata, data: { key: Buffer.from('secret').toString('base64') } });
}

/** As a user would, who then waits until they are gone. */
export async function deleteClaims(
  { cluster: { client } }: CrashRig,
  isMeant: (name: string) => boolean,
): Promise<void> {
  const left = async () =>
    (await client.list(persistentVolumeClaims)).items.filter((each) => isMeant(each.metadata.name));
  for (const { metadata } of await left()) {
    await ifFound(client.delete(persistentVolumeClaims, { name: metadata.name, namespace: NAMESPACE }));
  }
  await until('the claims are gone', AbortSignal.timeout(120_000), async () => (await left()).length === 0);
}
