import {
  csiNodes,
  events,
  type ListOptions,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  volumeAttachments,
} from '@holdfast/kube';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTestCluster, type TestCluster } from '../testing/index.ts';
import { attachmentName } from './attaching/names.ts';
import { annotations } from './names.ts';

const soon = { timeout: 15_000 };
const inDefault = (name: string) => ({ namespace: 'default', name });

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster({ loops: true });
});
afterEach(async () => {
  await cluster.stop();
});

const claimNow = (name = 'data') => cluster.client.get(persistentVolumeClaims, inDefault(name));
const podNow = (name: string) => cluster.client.get(pods, inDefault(name));

async function reasonsOn(name: string, options: ListOptions = {}): Promise<(string | undefined)[]> {
  const { items } = await cluster.client.list(events, { namespace: 'default', ...options });
  return items.filter((event) => event.involvedObject.name === name).map((event) => event.reason);
}

async function createNode(name: string, zone: string, limit = 0): Promise<void> {
  await cluster.client.create(nodes, { metadata: { name, labels: { zone } }, spec: {} });
  const body = { status: { conditions: [{ type: 'Ready', status: 'True' }] } };
  await cluster.client.patch(nodes, { name }, { kind: 'merge', body }, { subresource: 'status' });
  const allocatable = limit > 0 ? { allocatable: { count: limit } } : {};
  await cluster.client.create(csiNodes, {
    metadata: { name },
    spec: { drivers: [{ name: 'disk.test', nodeID: name, topologyKeys: ['zone'], ...allocatable }] },
  });
}

async function createClass(mode: 'Immediate' | 'WaitForFirstConsumer', more = ''): Promise<void> {
  await cluster.apply(`
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: fast }
provisioner: disk.test
volumeBindingMode: ${mode}
${more}`);
}

async function createClaim(name = 'data'): Promise<string> {
  const created = await cluster.client.create(persistentVolumeClaims, {
    metadata: inDefault(name),
    spec: {
      storageClassName: 'fast',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
    },
  });
  return created.metadata.uid;
}

async function createPod(name: string, claimName = 'data'): Promise<void> {
  await cluster.client.create(pods, {
    metadata: inDefault(name),
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image: 'app' }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
    },
  });
}

/** What an external provisioner writes. */
async function provision(uid: string, claimName = 'data'): Promise<void> {
  await cluster.client.create(persistentVolumes, {
    metadata: { name: `pvc-${uid}`, annotations: { [annotations.provisionedBy]: 'disk.test' } },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      storageClassName: 'fast',
      persistentVolumeReclaimPolicy: 'Delete',
      claimRef: { ...inDefault(claimName), uid, kind: 'PersistentVolumeClaim', apiVersion: 'v1' },
      csi: { driver: 'disk.test', volumeHandle: `h-${uid}` },
    },
  });
}

const boundClaim = (name = 'data') =>
  vi.waitFor(async () => {
    const claim = await claimNow(name);
    expect(claim.status?.phase).toBe('Bound');
    return claim;
  }, soon);
const scheduledPod = (name: string, nodeName: string) =>
  vi.waitFor(async () => expect((await podNow(name)).spec?.nodeName).toBe(nodeName), soon);

describe('a claim', () => {
  it('of an immediate class is given to its provisioner, bound to what that makes, and released', async () => {
    await createClass('Immediate');
    const uid = await createClaim();
    await vi.waitFor(async () => {
      const claim = await claimNow();
      expect(claim.metadata.annotations).toMatchObject({
        [annotations.storageProvisioner]: 'disk.test',
        [annotations.betaStorageProvisioner]: 'disk.test',
      });
      expect(await reasonsOn('data')).toContain('ExternalProvisioning');
    }, soon);
    await provision(uid);
    const claim = await boundClaim();
    expect(claim.spec?.volumeName).toBe(`pvc-${uid}`);
    expect(claim.metadata.annotations?.[annotations.bindCompleted]).toBe('yes');
    expect(claim.status).toMatchObject({ capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] });
    const name = `pvc-${uid}`;
    const phase = async () => (await cluster.client.get(persistentVolumes, { name })).status?.phase;
    await vi.waitFor(async () => expect(await phase()).toBe('Bound'), soon);

    await cluster.client.delete(persistentVolumeClaims, inDefault('data'));
    await vi.waitFor(async () => expect(await phase()).toBe('Released'), soon);
    // Nobody here deletes data: that is the provisioner's. Once it has removed the volume, protection lets it go.
    await cluster.client.delete(persistentVolumes, { name });
    await vi.waitFor(async () => expect((await cluster.client.list(persistentVolumes)).items).toEqual([]), soon);
  });

  it('of a class that is missing says so', async () => {
    await createClaim();
    await vi.waitFor(async () => expect(await reasonsOn('data')).toContain('ProvisioningFailed'), soon);
    expect((await claimNow()).status?.phase).toBe('Pending');
  });

  it('of a delayed class waits for a pod, whose node is then written on it', async () => {
    await createClass(
      'WaitForFirstConsumer',
      'allowedTopologies: [{ matchLabelExpressions: [{ key: zone, values: [b] }] }]',
    );
    await createNode('node-a', 'a');
    await createNode('node-b', 'b');
    const uid = await createClaim();
    await vi.waitFor(async () => expect(await reasonsOn('data')).toContain('WaitForFirstConsumer'), soon);
    expect((await claimNow()).metadata.annotations ?? {}).not.toHaveProperty(annotations.storageProvisioner);

    await createPod('web');
    await vi.waitFor(async () => {
      const found = (await claimNow()).metadata.annotations;
      expect(found?.[annotations.selectedNode]).toBe('node-b');
      expect(found?.[annotations.storageProvisioner]).toBe('disk.test');
    }, soon);
    expect((await podNow('web')).spec?.nodeName ?? '').toBe('');
    await provision(uid);
    await scheduledPod('web', 'node-b');
  });

  it('in use by a pod stays until the pod is gone', async () => {
    await createClass('Immediate');
    await createNode('node-a', 'a');
    await provision(await createClaim());
    await boundClaim();
    await createPod('web');
    await scheduledPod('web', 'node-a');
    await cluster.client.delete(persistentVolumeClaims, inDefault('data'));
    expect((await claimNow()).metadata.deletionTimestamp).toBeDefined();
    await cluster.client.delete(pods, inDefault('web'), { gracePeriodSeconds: 0 });
    await vi.waitFor(async () => expect((await cluster.client.list(persistentVolumeClaims)).items).toEqual([]), soon);
  });
});

describe('a pod', () => {
  it('is not given to a node whose driver has no room left, and says why', async () => {
    await createClass('Immediate');
    await createNode('node-a', 'a', 1);
    for (const name of ['one', 'two']) {
      await provision(await createClaim(name), name);
      await boundClaim(name);
    }
    await createPod('first', 'one');
    await scheduledPod('first', 'node-a');
    await createPod('second', 'two');
    await vi.waitFor(async () => {
      const condition = (await podNow('second')).status?.conditions?.find(({ type }) => type === 'PodScheduled');
      expect(condition).toMatchObject({
        status: 'False',
        reason: 'Unschedulable',
        message: '0/1 nodes are available: 1 node(s) exceed max volume count.',
      });
      expect(await reasonsOn('second')).toContain('FailedScheduling');
    }, soon);
    await createNode('node-b', 'b', 1);
    await scheduledPod('second', 'node-b');
  });

  it('gets its volume attached, which is detached only after kubelet has let go of it', async () => {
    await createClass('Immediate');
    await createNode('node-a', 'a');
    const uid = await createClaim();
    await provision(uid);
    await boundClaim();
    await createPod('web');
    const name = attachmentName(`h-${uid}`, 'disk.test', 'node-a');
    await vi.waitFor(() => cluster.client.get(volumeAttachments, { name }), soon);
    const inUse = `kubernetes.io/csi/disk.test^h-${uid}`;
    const status = (body: object) => ({ kind: 'merge', body: { status: body } }) as const;
    const onStatus = { subresource: 'status' } as const;
    await cluster.client.patch(nodes, { name: 'node-a' }, status({ volumesInUse: [inUse] }), onStatus);
    await cluster.client.patch(volumeAttachments, { name }, status({ attached: true }), onStatus);
    const attached = async () =>
      ((await cluster.client.get(nodes, { name: 'node-a' })).status?.volumesAttached ?? []).map((each) => each.name);
    await vi.waitFor(async () => expect(await attached()).toEqual([inUse]), soon);
    await vi.waitFor(async () => expect(await reasonsOn('web')).toContain('SuccessfulAttachVolume'), soon);

    await cluster.client.delete(pods, inDefault('web'), { gracePeriodSeconds: 0 });
    // A second pod that comes and goes proves that the loop has seen the first one go.
    await createPod('after');
    await scheduledPod('after', 'node-a');
    await cluster.client.delete(pods, inDefault('after'), { gracePeriodSeconds: 0 });
    expect((await cluster.client.list(volumeAttachments)).items).toHaveLength(1);
    await cluster.client.patch(nodes, { name: 'node-a' }, status({ volumesInUse: null }), onStatus);
    await vi.waitFor(async () => expect((await cluster.client.list(volumeAttachments)).items).toEqual([]), soon);
    expect(await attached()).toEqual([]);
  });
});
