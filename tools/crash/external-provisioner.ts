import { main } from '@holdfast/external-provisioner';
import {
  csiNodes,
  csiStorageCapacities,
  leases,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  secrets,
  volumeSnapshots,
} from '@holdfast/kube';
import type { CrashRig, CrashScenario, CrashSubject } from '@holdfast/sandbox/testing';
import { claimOf, NAMESPACE } from './bound-claims.ts';
import { electionFlags, elections, ifFound } from './cluster.ts';
import {
  addPlaces,
  addSnapshot,
  addSource,
  deleteClaims,
  ensureSecret,
  isSource,
  ZONE,
} from './provisioner-cluster.ts';
import { until } from './wait.ts';

const flags = ['--retry-interval-start=50ms', '--extra-create-metadata'];
const plugin = ['CONTROLLER_SERVICE', 'VOLUME_ACCESSIBILITY_CONSTRAINTS'] as const;

const subject: CrashSubject = {
  name: 'csi-provisioner',
  main,
  flags,
  driver: { capabilities: { plugin, controller: ['CREATE_DELETE_VOLUME', 'PUBLISH_UNPUBLISH_VOLUME'] } },
};

const base: Omit<CrashScenario, 'name'> = {
  subject,
  prepare: (rig) => addPlaces(rig),
  live: (rig, signal) => live(rig, {}, signal),
  meanwhile: { deleted: deleteUsersClaims },
  rest,
};

const takesSources: CrashSubject = {
  ...subject,
  flags: [...flags, '--snapshot-orphan-sweep-interval=1s'],
  driver: {
    capabilities: { plugin, controller: ['CREATE_DELETE_VOLUME', 'CREATE_DELETE_SNAPSHOT', 'CLONE_VOLUME'] },
  },
};

const tellsCapacity = [
  '--enable-capacity',
  '--capacity-for-immediate-binding',
  '--capacity-ownerref-level=-1',
  '--kube-api-capacity-qps=1000',
  '--kube-api-capacity-burst=1000',
];

/** A claim's whole life, from all that it can be filled from; kept, and deleted while the provisioner is down. */
export const provisionerScenarios: readonly CrashScenario[] = [
  { ...base, name: 'external-provisioner, plain' },
  {
    ...base,
    name: 'external-provisioner, with leader election',
    subject: { ...subject, flags: [...flags, ...electionFlags] },
    ...elections,
  },
  {
    ...base,
    name: 'external-provisioner, from a snapshot',
    subject: takesSources,
    async prepare(rig) {
      await addPlaces(rig);
      await addSnapshot(rig);
    },
    live(rig, signal) {
      const dataSource = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'snap' };
      return live(rig, { dataSource }, signal);
    },
  },
  {
    ...base,
    name: 'external-provisioner, cloned',
    subject: takesSources,
    async live(rig, signal) {
      const name = await addSource(rig, signal);
      await live(rig, { dataSource: { kind: 'PersistentVolumeClaim', name } }, signal);
      await rig.cluster.client.delete(persistentVolumeClaims, { name, namespace: NAMESPACE });
    },
    meanwhile: { ...base.meanwhile, 'deleted with its source': deleteWithSource },
  },
  {
    ...base,
    name: 'external-provisioner, with a secret',
    prepare: (rig) =>
      addPlaces(rig, {
        'csi.storage.k8s.io/provisioner-secret-name': 'provision',
        'csi.storage.k8s.io/provisioner-secret-namespace': NAMESPACE,
      }),
    async live(rig, signal) {
      await ensureSecret(rig);
      await live(rig, {}, signal);
    },
    meanwhile: { ...base.meanwhile, 'deleted with its secret': deleteWithSecret },
  },
  {
    ...base,
    name: 'external-provisioner, with storage capacity',
    subject: {
      ...subject,
      flags: [...flags, ...tellsCapacity],
      env: { NAMESPACE },
      driver: { capabilities: { plugin, controller: ['CREATE_DELETE_VOLUME', 'GET_CAPACITY'] } },
    },
    async live(rig, signal) {
      await untilCapacityIsTold(rig, signal);
      await live(rig, {}, signal);
    },
    meanwhile: { ...base.meanwhile, 'deleted, and a place is gone': deleteWithPlace },
    async rest(rig, signal) {
      await rest(rig, signal);
      await untilCapacityIsTold(rig, signal);
    },
  },
  {
    ...base,
    name: 'external-provisioner, on its node',
    subject: {
      ...subject,
      flags: [...flags, '--node-deployment', '--node-deployment-base-delay=20ms', '--node-deployment-max-delay=50ms'],
      env: { NODE_NAME: 'n1', POD_NAMESPACE: NAMESPACE },
      driver: {
        nodeId: 'n1',
        topology: { [ZONE]: 'z1' },
        capabilities: { plugin, controller: ['CREATE_DELETE_VOLUME', 'GET_CAPACITY'] },
      },
    },
  },
];

const inOrder = (a: string, b: string) => a.localeCompare(b);

let claims = 0;

async function live(rig: CrashRig, spec: object, signal: AbortSignal): Promise<void> {
  const { client } = rig.cluster;
  claims += 1;
  const name = `claim-${claims}`;
  await client.create(persistentVolumeClaims, {
    metadata: { name, namespace: NAMESPACE },
    spec: {
      storageClassName: 'fast',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      ...spec,
    },
  });
  await until(`claim ${name} is bound`, signal, async () => (await claimOf(rig, name))?.status?.phase === 'Bound');
  await client.delete(persistentVolumeClaims, { name, namespace: NAMESPACE });
}

async function deleteUsersClaims(rig: CrashRig): Promise<void> {
  await deleteClaims(rig, (name) => !isSource(name));
}

/** The source is held until nothing is made from it any more, so that nobody waits for its end here. */
async function deleteWithSource(rig: CrashRig): Promise<void> {
  const { client } = rig.cluster;
  await deleteUsersClaims(rig);
  for (const { metadata } of (await client.list(persistentVolumeClaims)).items) {
    await ifFound(client.delete(persistentVolumeClaims, { name: metadata.name, namespace: NAMESPACE }));
  }
}

async function deleteWithSecret(rig: CrashRig): Promise<void> {
  await deleteUsersClaims(rig);
  await ifFound(rig.cluster.client.delete(secrets, { name: 'provision', namespace: NAMESPACE }));
}

async function deleteWithPlace(rig: CrashRig): Promise<void> {
  const { client } = rig.cluster;
  await deleteUsersClaims(rig);
  await ifFound(client.delete(csiNodes, { name: 'n3' }));
  await ifFound(client.delete(nodes, { name: 'n3' }));
}

async function untilCapacityIsTold({ cluster: { client } }: CrashRig, signal: AbortSignal): Promise<void> {
  await until('capacity is told once for each place that there is', signal, async () => {
    const zonesOf = (found: readonly (string | undefined)[]) =>
      found
        .map((zone = '') => zone)
        .sort(inOrder)
        .join();
    const there = (await client.list(nodes)).items.map(({ metadata }) => metadata.labels?.[ZONE]);
    const { items: told } = await client.list(csiStorageCapacities);
    return zonesOf(there) === zonesOf(told.map(({ nodeTopology }) => nodeTopology?.matchLabels?.[ZONE]));
  });
}

/** Nothing is left of the users' claims, and nothing holds what they were filled from. */
async function rest(rig: CrashRig, signal: AbortSignal): Promise<void> {
  const { client } = rig.cluster;
  await until('claims, volumes and their objects are gone, and their source is let go', signal, async () => {
    const { items: left } = await client.list(persistentVolumeClaims);
    // The source of a life that was cut short may be left, with its protection, until somebody deletes it.
    if (left.some(({ metadata }) => !isSource(metadata.name) || metadata.deletionTimestamp !== undefined)) return false;
    const { items: volumes } = await client.list(persistentVolumes);
    if (volumes.length !== left.length || rig.driver.volumes.size !== left.length) return false;
    const { items: snapshots } = await client.list(volumeSnapshots);
    if (snapshots.some(({ metadata }) => (metadata.finalizers ?? []).length > 0)) return false;
    const { items } = await client.list(leases);
    return items.every(({ metadata }) => metadata.annotations?.['csi.holdfast/creating'] === undefined);
  });
}
