import {
  csiNodes,
  csiStorageCapacities,
  type KubeObject,
  leases,
  nodes,
  persistentVolumeClaims,
  pods,
  type Resource,
} from '@holdfast/kube';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTestCluster, type TestCluster } from '../../testing/index.ts';
import { decideGarbage, type OwnerState } from './decide.ts';

const soon = { timeout: 15_000 };
let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster({ loops: true });
});
afterEach(() => cluster.stop());

const owner = (kind: string, name: string, uid: string, apiVersion = 'v1') => ({ apiVersion, kind, name, uid });
const inDefault = (name: string) => ({ namespace: 'default', name });
const namesOf = async (resource: Resource<KubeObject>) =>
  (await cluster.client.list(resource)).items.map(({ metadata }) => metadata.name);
const isGone = (resource: Resource<KubeObject>, name: string) =>
  vi.waitFor(async () => expect(await namesOf(resource)).not.toContain(name), soon);

describe('what is owned', () => {
  it('goes with its owner: the CSINode and the lease of a Node, the capacity of a pod', async () => {
    const { client } = cluster;
    const node = await client.create(nodes, { metadata: { name: 'node-a' }, spec: {} });
    const pod = await client.create(pods, {
      metadata: inDefault('provisioner'),
      spec: { containers: [{ name: 'main', image: 'app' }] },
    });
    const ownerReferences = [owner('Node', 'node-a', node.metadata.uid)];
    await client.create(csiNodes, { metadata: { name: 'node-a', ownerReferences }, spec: { drivers: [] } });
    await client.create(leases, { metadata: { namespace: 'kube-node-lease', name: 'node-a', ownerReferences } });
    await client.create(leases, { metadata: { namespace: 'kube-node-lease', name: 'orphan' } });
    await client.request('POST', '/apis/storage.k8s.io/v1/namespaces/default/csistoragecapacities', {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIStorageCapacity',
      metadata: { name: 'cap', ownerReferences: [owner('Pod', 'provisioner', pod.metadata.uid)] },
      storageClassName: 'fast',
    });
    await client.delete(nodes, { name: 'node-a' });
    await isGone(csiNodes, 'node-a');
    await isGone(leases, 'node-a');
    expect(await namesOf(csiStorageCapacities)).toEqual(['cap']);
    await client.delete(pods, inDefault('provisioner'), { gracePeriodSeconds: 0 });
    await isGone(csiStorageCapacities, 'cap');
    expect(await namesOf(leases)).toEqual(['orphan']);
  });

  it('stays while one owner is left, and is told of the one that went', async () => {
    const { client } = cluster;
    const owners = [];
    for (const name of ['a', 'b']) {
      const { metadata } = await client.create(nodes, { metadata: { name }, spec: {} });
      owners.push(owner('Node', name, metadata.uid));
    }
    await client.create(persistentVolumeClaims, {
      metadata: { ...inDefault('data'), ownerReferences: owners },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    await client.delete(nodes, { name: 'a' });
    await vi.waitFor(async () => {
      const { metadata } = await client.get(persistentVolumeClaims, inDefault('data'));
      expect(metadata.ownerReferences?.map(({ name }) => name)).toEqual(['b']);
    }, soon);
  });

  it('by an object of another uid, or one that never was, goes; by a kind that is not served, stays', async () => {
    const { client } = cluster;
    await client.create(nodes, { metadata: { name: 'node-a' }, spec: {} });
    const create = (name: string, reference: ReturnType<typeof owner>) =>
      client.create(leases, { metadata: { namespace: 'kube-node-lease', name, ownerReferences: [reference] } });
    await create('of-deployment', owner('Deployment', 'd', 'u-1', 'apps/v1'));
    await create('of-nobody', owner('Node', 'nobody', 'u-2'));
    await create('of-former', owner('Node', 'node-a', 'u-3'));
    await isGone(leases, 'of-nobody');
    await isGone(leases, 'of-former');
    expect(await namesOf(leases)).toEqual(['of-deployment']);
  });
});

it.each<[OwnerState[], string]>([
  [['present'], 'keep'],
  [['unknown'], 'keep'],
  [['absent'], 'delete'],
  [['absent', 'absent'], 'delete'],
  [['absent', 'present'], 'disown'],
  [['absent', 'unknown'], 'disown'],
])('owners that are %j: %s', (states, kind) => {
  const owners = states.map((state, index) => ({ state, reference: owner('Node', `n${index}`, `u${index}`) }));
  expect(decideGarbage(owners).kind).toBe(kind);
});
