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

async function createClaim(name = 'data', accessMode = 'ReadWriteOnce'): Promise<string> {
  const created = await cluster.client.create(persistentVolumeClaims, {
    metadata: inDefault(name),
    spec: {
      storageClassName: 'fast',
      accessModes: [accessMode],
      resources: { requests: { storage: '1Gi' } },
    },
  });
  return created.metadata.uid;
}

async function createPod(name: string, claimName = 'data', spec: object = {}): Promise<void> {
  await cluster.client.create(pods, {
    metadata: inDefault(name),
    spec: {
      ...spec,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image: 'app' }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
    },
  });
}

/** What an external provisioner writes. */
async function provision(uid: string, claimName = 'data', spec: object = {}): Promise<void> {
  await cluster.client.create(persistentVolumes, {
    metadata: { name: `pvc-${uid}`, annotations: { [annotations.provisionedBy]: 'disk.test' } },
    spec: {
      accessModes: ['ReadWriteOnce'],
      ...spec,
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

  it('of a class of an in-tree plug-in is given to the driver in the plug-in’s place, and so is its growth', async () => {
    await cluster.apply(`
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: fast }
provisioner: kubernetes.io/cinder
allowVolumeExpansion: true`);
    const uid = await createClaim();
    const driver = 'cinder.csi.openstack.org';
    const untilNamed = (annotation: string) =>
      vi.waitFor(async () => expect((await claimNow()).metadata.annotations?.[annotation]).toBe(driver), soon);
    await untilNamed(annotations.storageProvisioner);
    await cluster.client.create(persistentVolumes, {
      metadata: { name: `pvc-${uid}` },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        storageClassName: 'fast',
        claimRef: { ...inDefault('data'), uid, kind: 'PersistentVolumeClaim', apiVersion: 'v1' },
        cinder: { volumeID: 'v' },
      },
    });
    await boundClaim();
    const body = { spec: { resources: { requests: { storage: '2Gi' } } } };
    await cluster.client.patch(persistentVolumeClaims, inDefault('data'), { kind: 'merge', body });
    await untilNamed(annotations.storageResizer);
    expect(await reasonsOn('data')).toContain('ExternalExpanding');
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

  it('elsewhere waits for a volume that only one node may have, and says which pod has it', async () => {
    await createClass('Immediate');
    await createNode('node-a', 'a');
    await createNode('node-b', 'b');
    const uid = await createClaim();
    await provision(uid);
    await boundClaim();
    // The first attachment takes its time: what is decided meanwhile has to know of it all the same.
    const created = Promise.withResolvers<void>();
    const stopHolding = cluster.intercept(({ verb, resource }) =>
      verb === 'create' && resource === 'volumeattachments' ? { holdReply: created.promise } : undefined,
    );
    await createPod('one', 'data', { nodeName: 'node-a' });
    await createPod('two', 'data', { nodeName: 'node-b' });
    await vi.waitFor(async () => expect((await cluster.client.list(volumeAttachments)).items).toHaveLength(1), soon);
    stopHolding();
    created.resolve();

    const owner = async () => (await cluster.client.list(volumeAttachments)).items.map(({ spec }) => spec.nodeName);
    const [first] = await owner();
    const [user, waiting, other] = first === 'node-a' ? ['one', 'two', 'node-b'] : ['two', 'one', 'node-a'];
    await vi.waitFor(async () => {
      const { items } = await cluster.client.list(events, { namespace: 'default' });
      const said = items.find(
        ({ involvedObject, reason }) => involvedObject.name === waiting && reason === 'FailedAttachVolume',
      );
      expect(said?.message).toMatch(
        `Multi-Attach error for volume "pvc-${uid}" Volume is already used by pod(s) ${user}`,
      );
    }, soon);
    expect(await owner()).toEqual([first]);

    await cluster.client.delete(pods, inDefault(user), { gracePeriodSeconds: 0 });
    await vi.waitFor(async () => expect(await owner()).toEqual([other]), soon);
  });

  it('keeps its volume attached while its node has it in use, even if somebody removed the volume by force', async () => {
    await createClass('Immediate');
    await createNode('node-a', 'a');
    const uid = await createClaim();
    await provision(uid);
    await boundClaim();
    await createPod('web');
    const name = attachmentName(`h-${uid}`, 'disk.test', 'node-a');
    await vi.waitFor(() => cluster.client.get(volumeAttachments, { name }), soon);
    const status = (body: object) => ({ kind: 'merge', body: { status: body } }) as const;
    const onStatus = { subresource: 'status' } as const;
    const volumesInUse = [`kubernetes.io/csi/disk.test^h-${uid}`];
    await cluster.client.patch(nodes, { name: 'node-a' }, status({ volumesInUse }), onStatus);
    await cluster.client.delete(persistentVolumes, { name: `pvc-${uid}` });
    const unprotected = { kind: 'merge', body: { metadata: { finalizers: null } } } as const;
    await cluster.client.patch(persistentVolumes, { name: `pvc-${uid}` }, unprotected);
    await vi.waitFor(async () => expect((await claimNow()).status?.phase).toBe('Lost'), soon);
    await cluster.client.delete(pods, inDefault('web'), { gracePeriodSeconds: 0 });
    // A volume that is attached later proves that the loop has looked at the node since.
    await provision(await createClaim('later'), 'later');
    await createPod('after', 'later');
    await vi.waitFor(async () => expect((await cluster.client.list(volumeAttachments)).items).toHaveLength(2), soon);

    await cluster.client.patch(nodes, { name: 'node-a' }, status({ volumesInUse: null }), onStatus);
    await vi.waitFor(async () => {
      const { items } = await cluster.client.list(volumeAttachments);
      expect(items.map(({ metadata }) => metadata.name)).not.toContain(name);
    }, soon);
  });

  it('waits while another has a claim that is for one pod alone', async () => {
    await createClass('Immediate');
    await createNode('node-a', 'a');
    await provision(await createClaim('data', 'ReadWriteOncePod'), 'data', { accessModes: ['ReadWriteOncePod'] });
    await boundClaim();
    await createPod('first');
    await scheduledPod('first', 'node-a');
    await createPod('second');
    await vi.waitFor(async () => expect(await reasonsOn('second')).toContain('FailedScheduling'), soon);
    await cluster.client.delete(pods, inDefault('first'), { gracePeriodSeconds: 0 });
    await scheduledPod('second', 'node-a');
  });
});

describe('three zones', () => {
  beforeEach(async () => {
    await createClass(
      'WaitForFirstConsumer',
      'allowedTopologies: [{ matchLabelExpressions: [{ key: zone, values: [a, b] }] }]',
    );
    for (const zone of ['a', 'b', 'c']) {
      await createNode(`node-${zone}`, zone, 1);
    }
  });

  const selectedNode = async (name: string) => (await claimNow(name)).metadata.annotations?.[annotations.selectedNode];
  const inZone = (zone: string) => ({
    nodeAffinity: {
      required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [zone] }] }] },
    },
  });

  it('each take as many volumes as their drivers hold, those yet to be made included', async () => {
    const uids = new Map<string, string>();
    for (const name of ['one', 'two', 'three']) {
      uids.set(name, await createClaim(name));
      await createPod(name, name);
    }
    // Nothing is provisioned yet, and still nobody is promised the same place twice.
    const waiting = await vi.waitFor(async () => {
      const unscheduled = ['one', 'two', 'three'].map(async (name) => ({ name, reasons: await reasonsOn(name) }));
      const found = (await Promise.all(unscheduled)).filter(({ reasons }) => reasons.includes('FailedScheduling'));
      expect(found).toHaveLength(1);
      return found[0]?.name ?? '';
    }, soon);
    const placed = ['one', 'two', 'three'].filter((name) => name !== waiting);
    const places = await vi.waitFor(async () => {
      const found = await Promise.all(placed.map(selectedNode));
      expect(new Set(found)).toEqual(new Set(['node-a', 'node-b']));
      return found;
    }, soon);
    for (const [index, name] of placed.entries()) {
      await provision(uids.get(name) ?? '', name, inZone(places[index] === 'node-a' ? 'a' : 'b'));
      await scheduledPod(name, places[index] ?? '');
    }
    expect(await selectedNode(waiting)).toBeUndefined();
    await cluster.client.delete(pods, inDefault(placed[0] ?? ''), { gracePeriodSeconds: 0 });
    await vi.waitFor(async () => expect(await selectedNode(waiting)).toBe(places[0]), soon);
  });

  it('are tried one after the other when a provisioner finds no room in the first', async () => {
    await createClaim();
    await createPod('web');
    await vi.waitFor(async () => expect(await selectedNode('data')).toBe('node-a'), soon);
    const takeBack = {
      kind: 'merge',
      body: { metadata: { annotations: { [annotations.selectedNode]: null } } },
    } as const;
    await cluster.client.patch(persistentVolumeClaims, inDefault('data'), takeBack);
    await vi.waitFor(async () => expect(await selectedNode('data')).toBe('node-b'), soon);
  });

  it('are passed over where a bound volume cannot be reached', async () => {
    const uid = await createClaim();
    await provision(uid, 'data', inZone('c'));
    await createPod('web');
    await scheduledPod('web', 'node-c');
  });
});

describe('a namespace on its way out', () => {
  it('is emptied of every kind, and waits for the finalizers of what is in it', async () => {
    await cluster.apply(`
apiVersion: v1
kind: Namespace
metadata: { name: team }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings, namespace: team, finalizers: [test.holdfast/hold] }
---
apiVersion: storage.k8s.io/v1
kind: CSIStorageCapacity
metadata: { name: room, namespace: team }
storageClassName: fast
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data, namespace: team }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
`);
    await cluster.client.request('DELETE', '/api/v1/namespaces/team');
    const settings = '/api/v1/namespaces/team/configmaps/settings';
    await vi.waitFor(async () => {
      const { body } = await cluster.client.request('GET', settings);
      expect(body).toMatchObject({ metadata: { deletionTimestamp: expect.any(String) } });
    }, soon);
    expect((await cluster.client.request('GET', '/api/v1/namespaces/team')).body).toMatchObject({
      status: { phase: 'Terminating' },
    });
    await cluster.client.request('PUT', settings, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings', namespace: 'team' },
    });
    await vi.waitFor(
      () => expect(cluster.client.request('GET', '/api/v1/namespaces/team')).rejects.toThrow(/not found/),
      soon,
    );
    expect(cluster.server.storage.list('storage.k8s.io/csistoragecapacities', 'team')).toEqual([]);
    expect(cluster.server.storage.list('/persistentvolumeclaims', 'team')).toEqual([]);
  });
});
