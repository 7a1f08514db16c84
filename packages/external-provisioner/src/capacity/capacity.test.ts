import { type CSIStorageCapacity, csiNodes, csiStorageCapacities, nodes, persistentVolumeClaims } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { annotations } from '../names.ts';
import { type Rig, startRig } from '../testing/rig.ts';
import { managerId } from './names.ts';

const ZONE = 'topology.example.com/zone';
const GIB = 1024n ** 3n;
const flags = ['--enable-capacity', '--kube-api-capacity-qps=1000', '--kube-api-capacity-burst=1000'];
const env = { NAMESPACE: 'default', POD_NAME: 'provisioner-0' };

let rig: Rig;
let rooms: Record<string, bigint>;

async function startWith(more: { env?: NodeJS.ProcessEnv; plugin?: 'VOLUME_ACCESSIBILITY_CONSTRAINTS'[] } = {}) {
  rooms = { z1: 10n * GIB, z2: 20n * GIB };
  rig = await startRig({
    loops: true,
    env: more.env ?? env,
    driver: {
      topology: { [ZONE]: 'z1' },
      capabilities: {
        plugin: ['CONTROLLER_SERVICE', ...(more.plugin ?? (['VOLUME_ACCESSIBILITY_CONSTRAINTS'] as const))],
        controller: ['CREATE_DELETE_VOLUME', 'GET_CAPACITY'],
      },
      handlers: {
        GetCapacity: async ({ accessibleTopology }) => ({
          availableCapacity: rooms[accessibleTopology?.segments[ZONE] ?? ''] ?? 7n * GIB,
          maximumVolumeSize: 5n * GIB,
          minimumVolumeSize: undefined,
        }),
      },
    },
  });
  await rig.cluster.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'provisioner-0',
      namespace: 'default',
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'provisioner', uid: 'uid-set', controller: true },
      ],
    },
    spec: { containers: [{ name: 'provisioner', image: 'provisioner' }] },
  });
  await rig.createClass({ volumeBindingMode: 'WaitForFirstConsumer', parameters: { tier: 'gold' } });
}

beforeEach(() => startWith());
afterEach(() => rig.stop());

async function addNode(name: string, zone: string): Promise<void> {
  await rig.cluster.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { [ZONE]: zone } } });
  const drivers = [{ name: rig.driver.name, nodeID: name, topologyKeys: [ZONE] }];
  await rig.cluster.apply({ apiVersion: 'storage.k8s.io/v1', kind: 'CSINode', metadata: { name }, spec: { drivers } });
}

async function objects(): Promise<CSIStorageCapacity[]> {
  return (await rig.cluster.client.list(csiStorageCapacities)).items;
}

async function eventually(check: () => Promise<void> | void): Promise<void> {
  await vi.waitFor(check, { timeout: 10_000, interval: 10 });
}

/** `zone: capacity` of each object, in order. */
async function told(): Promise<string[]> {
  return (await objects()).map((each) => `${each.nodeTopology?.matchLabels?.[ZONE]}: ${each.capacity}`).sort();
}

describe('storage capacity', () => {
  it('is told for each place, owned by the controller of the pod', async () => {
    await addNode('n1', 'z1');
    await addNode('n2', 'z2');
    await addNode('n3', 'z2');
    await rig.start(...flags);
    await eventually(async () => expect(await told()).toEqual(['z1: 10Gi', 'z2: 20Gi']));
    const [object] = await objects();
    expect(object).toMatchObject({
      storageClassName: 'fast',
      maximumVolumeSize: '5Gi',
      metadata: {
        namespace: 'default',
        labels: {
          'csi.storage.k8s.io/drivername': rig.driver.name,
          'csi.storage.k8s.io/managed-by': 'external-provisioner',
        },
        ownerReferences: [{ kind: 'StatefulSet', name: 'provisioner', uid: 'uid-set', controller: true }],
      },
    });
    expect(object?.metadata.name).toMatch(/^csisc-/);
    expect(rig.driver.callsOf('GetCapacity')).toHaveLength(2);
    expect(rig.driver.callsOf('GetCapacity')[0]?.request).toMatchObject({ parameters: { tier: 'gold' } });
  });

  it('follows nodes and classes as they come and go', async () => {
    await rig.start(...flags);
    await addNode('n1', 'z1');
    await eventually(async () => expect(await told()).toEqual(['z1: 10Gi']));
    await addNode('n2', 'z2');
    await eventually(async () => expect(await told()).toEqual(['z1: 10Gi', 'z2: 20Gi']));
    await rig.cluster.client.delete(csiNodes, { name: 'n1' });
    await eventually(async () => expect(await told()).toEqual(['z2: 20Gi']));
    await rig.cluster.client.patch(
      nodes,
      { name: 'n2' },
      { kind: 'merge', body: { metadata: { labels: { [ZONE]: 'z3' } } } },
    );
    await eventually(async () => expect(await told()).toEqual(['z3: 7Gi']));
    await rig.deleteClass();
    await eventually(async () => expect(await told()).toEqual([]));
  });

  it('is asked again by the clock, and written only when it has changed', async () => {
    await addNode('n1', 'z1');
    await rig.start(...flags, '--capacity-poll-interval=20ms');
    await eventually(() => expect(rig.driver.callsOf('GetCapacity').length).toBeGreaterThan(5));
    expect(rig.writes()).toEqual(['create csistoragecapacities']);
    rooms.z1 = 0n;
    await eventually(async () => expect(await told()).toEqual(['z1: 0']));
    expect(rig.writes()).toEqual(['create csistoragecapacities', 'patch csistoragecapacities']);
  });

  it('is asked again where a volume was made or deleted, and nowhere else', async () => {
    await addNode('n1', 'z1');
    await addNode('n2', 'z2');
    await rig.start(...flags);
    await eventually(async () => expect(await told()).toHaveLength(2));
    rig.driver.calls.length = 0;
    rooms.z2 = 19n * GIB;
    await rig.createClaim('data', { annotations: { [annotations.selectedNode]: 'n2' } });
    await eventually(async () => expect(await told()).toEqual(['z1: 10Gi', 'z2: 19Gi']));
    rooms.z2 = 20n * GIB;
    await eventually(async () => expect((await rig.claim('data'))?.status?.phase).toBe('Bound'));
    await rig.cluster.client.delete(persistentVolumeClaims, { name: 'data', namespace: 'default' });
    await eventually(async () => expect(await told()).toEqual(['z1: 10Gi', 'z2: 20Gi']));
    const places = rig.driver.callsOf('GetCapacity').map(({ request }) => JSON.stringify(request));
    expect(places.filter((text) => text.includes('z1'))).toEqual([]);
  });

  it('takes over what the Go sidecar left, and removes what is one too many', async () => {
    await addNode('n1', 'z1');
    for (const name of ['csisc-a', 'csisc-b']) {
      await rig.cluster.apply({
        apiVersion: 'storage.k8s.io/v1',
        kind: 'CSIStorageCapacity',
        metadata: {
          name,
          namespace: 'default',
          labels: {
            'csi.storage.k8s.io/drivername': rig.driver.name,
            'csi.storage.k8s.io/managed-by': 'external-provisioner',
          },
          ownerReferences: [
            { apiVersion: 'apps/v1', kind: 'Deployment', name: 'old', uid: 'uid-old', controller: true },
          ],
        },
        storageClassName: 'fast',
        nodeTopology: { matchLabels: { [ZONE]: 'z1' } },
        capacity: '10Gi',
        maximumVolumeSize: '5Gi',
      });
    }
    await rig.start(...flags);
    await eventually(async () => {
      const found = await objects();
      expect(found.map(({ metadata }) => metadata.name)).toEqual(['csisc-a']);
      expect(found[0]?.metadata.ownerReferences?.map(({ name, controller }) => [name, controller])).toEqual([
        ['old', false],
        ['provisioner', true],
      ]);
    });
  });

  it('of a driver that fails is tried again, and others are told meanwhile', async () => {
    await addNode('n1', 'z1');
    await addNode('n2', 'z2');
    let isBroken = true;
    rig.driver.around(async ({ method, request }, proceed) => {
      if (method === 'GetCapacity' && isBroken && JSON.stringify(request).includes('z1'))
        throw rpcError('Internal', 'broken');
      return await proceed();
    });
    await rig.start(...flags);
    await eventually(async () => expect(await told()).toEqual(['z2: 20Gi']));
    isBroken = false;
    await eventually(async () => expect(await told()).toEqual(['z1: 10Gi', 'z2: 20Gi']));
  });

  it('of classes that bind at once is told only when asked for', async () => {
    await addNode('n1', 'z1');
    await rig.createClass({ volumeBindingMode: 'Immediate' });
    await rig.start(...flags, '--capacity-for-immediate-binding');
    await eventually(async () => expect(await told()).toEqual(['z1: 10Gi']));
    await rig.stopController();
    await rig.start(...flags);
    await eventually(async () => expect(await told()).toEqual([]));
  });
});

describe('on a node', () => {
  it('its own place is told of, under a name of its own', async () => {
    await rig.stop();
    await startWith({ env: { ...env, NODE_NAME: 'n1' } });
    await rig.start(...flags, '--node-deployment');
    await eventually(async () => expect(await told()).toEqual(['z1: 10Gi']));
    const [object] = await objects();
    expect(object?.metadata.labels?.['csi.storage.k8s.io/managed-by']).toBe('external-provisioner-n1');
  });

  // What upstream's own function gives for these.
  it.each([
    ['node', 'external-provisioner-node'],
    [`node${'a'.repeat(38)}`, `external-provisioner-node${'a'.repeat(38)}`],
    [`node${'a'.repeat(39)}`, `external-p-53f40b57-node${'a'.repeat(39)}`],
    [`node${'a'.repeat(48)}`, `e-53f40b57-node${'a'.repeat(48)}`],
    [`node${'a'.repeat(49)}`, 'external-provisioner-a3607ff1'],
    [`node${'a'.repeat(63)}`, 'external-provisioner-df38e37f'],
  ])('the name of %s fits into a label', (node, label) => {
    expect(managerId(node)).toBe(label);
  });
});

describe('without what it needs', () => {
  it.each([
    [{ POD_NAME: 'provisioner-0' }, [], /NAMESPACE/],
    [{ NAMESPACE: 'default' }, [], /POD_NAME/],
    [{ NAMESPACE: 'default', POD_NAME: 'nobody' }, [], /Pod default\/nobody, an owner .* cannot be read/],
    [env, ['--capacity-ownerref-level=2'], /StatefulSet default\/provisioner.*cannot be read/],
  ])('it does not start: %j %j', async (given, more, text) => {
    await rig.stop();
    await startWith({ env: given });
    await expect(rig.start(...flags, ...more)).rejects.toThrow(text);
  });

  it('an owner is not needed where none is wanted', async () => {
    await rig.stop();
    await startWith({ env: { NAMESPACE: 'default' } });
    await addNode('n1', 'z1');
    await rig.start(...flags, '--capacity-ownerref-level=-1');
    await eventually(async () => expect(await told()).toEqual(['z1: 10Gi']));
    expect((await objects())[0]?.metadata.ownerReferences).toBeUndefined();
  });
});
