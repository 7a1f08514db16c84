import { setTimeout as pause } from 'node:timers/promises';
import {
  leases,
  persistentVolumeClaims,
  persistentVolumes,
  volumeSnapshotContents,
  volumeSnapshots,
} from '@holdfast/kube';
import { type CrashRig, type CrashScenario, ifFound } from '@holdfast/sandbox/testing';

const LOOK_EVERY_MS = 10;
const zone = 'topology.example.com/zone';
const claimRef = (name: string) => ({ name, namespace: 'default' });

/** A claim's whole life, without and with leader election; kept, and deleted while the provisioner is down. */
export function provisionerScenarios(file: string): readonly CrashScenario[] {
  const flags = ['--retry-interval-start=50ms', '--extra-create-metadata'];
  const election = ['--leader-election', '--leader-election-namespace=default'];
  const sweep = '--snapshot-orphan-sweep-interval=100ms';
  const dataSource = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'snap' };
  return [
    scenario('plain', file, flags),
    scenario('with leader election', file, [...flags, ...election]),
    scenario('from a snapshot', file, [...flags, sweep], { dataSource }),
  ];
}

function scenario(name: string, file: string, flags: readonly string[], spec: object = {}): CrashScenario {
  return {
    name: `external-provisioner, ${name}`,
    subject: {
      name: 'csi-provisioner',
      file,
      flags,
      driver: {
        capabilities: {
          plugin: ['CONTROLLER_SERVICE', 'VOLUME_ACCESSIBILITY_CONSTRAINTS'],
          controller: ['CREATE_DELETE_VOLUME', 'CREATE_DELETE_SNAPSHOT', 'PUBLISH_UNPUBLISH_VOLUME'],
        },
      },
    },
    prepare,
    live: (rig, signal) => live(rig, spec, signal),
    meanwhile: { deleted: deleteClaims },
    rest,
  };
}

async function prepare(rig: CrashRig): Promise<void> {
  const { cluster, driver } = rig;
  await prepareSnapshot(rig);
  await cluster.apply({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'fast' },
    provisioner: driver.name,
    parameters: { tier: 'gold' },
  });
  for (const number of [1, 2, 3]) {
    const node = `n${number}`;
    await cluster.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: node, labels: { [zone]: `z${number}` } } });
    const drivers = [{ name: driver.name, nodeID: node, topologyKeys: [zone] }];
    await cluster.apply({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSINode',
      metadata: { name: node },
      spec: { drivers },
    });
  }
}

/** As external-snapshotter leaves it. */
async function prepareSnapshot({ cluster: { client }, driver }: CrashRig): Promise<void> {
  const apiVersion = 'snapshot.storage.k8s.io/v1';
  const metadata = claimRef('snap');
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

let claims = 0;

async function live(rig: CrashRig, spec: object, signal: AbortSignal): Promise<void> {
  const { client } = rig.cluster;
  claims += 1;
  const name = `data-${claims}`;
  await client.create(persistentVolumeClaims, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: claimRef(name),
    spec: {
      storageClassName: 'fast',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      ...spec,
    },
  });
  await until(`claim ${name} is bound`, signal, async () => {
    return (await ifFound(client.get(persistentVolumeClaims, claimRef(name))))?.status?.phase === 'Bound';
  });
  await client.delete(persistentVolumeClaims, claimRef(name));
}

/** As a user would, who then waits until they are gone. */
async function deleteClaims({ cluster: { client } }: CrashRig): Promise<void> {
  const { items } = await client.list(persistentVolumeClaims);
  for (const { metadata } of items) await ifFound(client.delete(persistentVolumeClaims, claimRef(metadata.name)));
  await until('the claims are gone', AbortSignal.timeout(30_000), async () => {
    return (await client.list(persistentVolumeClaims)).items.length === 0;
  });
}

async function rest({ cluster: { client }, driver }: CrashRig, signal: AbortSignal): Promise<void> {
  await until('claims, volumes and their objects are gone, and their source is let go', signal, async () => {
    if (driver.volumes.size > 0 || (await client.list(persistentVolumeClaims)).items.length > 0) return false;
    if ((await client.list(persistentVolumes)).items.length > 0) return false;
    const snapshot = await client.get(volumeSnapshots, claimRef('snap'));
    if ((snapshot.metadata.finalizers ?? []).length > 0) return false;
    const { items } = await client.list(leases);
    return items.every(({ metadata }) => metadata.annotations?.['csi.holdfast/creating'] === undefined);
  });
}

async function until(what: string, signal: AbortSignal, isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) {
    if (signal.aborted) throw new Error(`waited in vain until ${what}`);
    await pause(LOOK_EVERY_MS);
  }
}
