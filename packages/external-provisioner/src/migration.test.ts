import { csiNodes, nodes, type PersistentVolume, persistentVolumes } from '@holdfast/kube';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { annotations, VOLUME_FINALIZER } from './names.ts';
import { type Rig, startRig } from './testing/rig.ts';

/* A driver that took the place of the in-tree plug-in kubernetes.io/gce-pd. */

const DRIVER = 'pd.csi.storage.gke.io';
const PLUGIN = 'kubernetes.io/gce-pd';
const ZONE = 'us-central1-b';
/** What a cluster writes on a claim of a class of the plug-in. */
const asked = { [annotations.storageProvisioner]: PLUGIN, [annotations.migratedTo]: DRIVER };
const migratedClass = { provisioner: PLUGIN, parameters: { type: 'pd-ssd', FSType: 'xfs', zone: ZONE } };

let rig: Rig;
/** How the driver names a volume. */
let handleOf: (name: string) => string;

beforeEach(async () => {
  handleOf = (name) => `projects/p/zones/${ZONE}/disks/${name}`;
  rig = await startRig({
    driver: {
      name: DRIVER,
      capabilities: { plugin: ['CONTROLLER_SERVICE', 'VOLUME_ACCESSIBILITY_CONSTRAINTS'] },
      handlers: {
        CreateVolume: ({ name, capacityRange }) =>
          Promise.resolve({
            volume: {
              volumeId: handleOf(name),
              capacityBytes: capacityRange?.requiredBytes ?? 0n,
              volumeContext: {},
              contentSource: undefined,
              accessibleTopology: [{ segments: { 'topology.gke.io/zone': ZONE } }],
            },
          }),
        DeleteVolume: () => Promise.resolve({}),
      },
    },
  });
  const { client } = rig.cluster;
  await client.create(nodes, { metadata: { name: 'node-1', labels: { 'topology.gke.io/zone': ZONE } } });
  const topologyKeys = ['topology.gke.io/zone'];
  await client.create(csiNodes, {
    metadata: { name: 'node-1' },
    spec: { drivers: [{ name: DRIVER, nodeID: 'node-1', topologyKeys }] },
  });
});
afterEach(() => rig.stop());

async function eventually(check: () => Promise<void> | void): Promise<void> {
  await vi.waitFor(check, { timeout: 10_000, interval: 10 });
}

const requests = (method: 'CreateVolume' | 'DeleteVolume') => rig.driver.callsOf(method).map(({ request }) => request);

async function provisioned(claim: string): Promise<PersistentVolume> {
  await eventually(async () => expect((await rig.eventsOf(claim)).join()).toContain('ProvisioningSucceeded'));
  const found = (await rig.volumes()).find(({ spec }) => spec?.claimRef?.name === claim);
  return found ?? expect.fail('no PersistentVolume');
}

async function untilFailed(claim: string): Promise<string> {
  let told = '';
  await eventually(async () => {
    told = (await rig.eventsOf(claim)).find((event) => event.includes('ProvisioningFailed')) ?? '';
    expect(told).not.toBe('');
  });
  return told;
}

describe('a claim of a class of the plug-in', () => {
  it('gets a volume by the driver’s rules, and a PersistentVolume by the plug-in’s', async () => {
    await rig.createClass(migratedClass);
    await rig.start();
    await rig.createClaim('data', { annotations: asked });
    const { metadata, spec } = await provisioned('data');

    expect(requests('CreateVolume')).toMatchObject([
      {
        parameters: { type: 'pd-ssd' },
        volumeCapabilities: [{ accessType: { value: { fsType: 'xfs' } } }],
        accessibilityRequirements: { requisite: [{ segments: { 'topology.gke.io/zone': ZONE } }] },
      },
    ]);
    expect(spec).toMatchObject({
      gcePersistentDisk: { pdName: metadata.name, fsType: 'xfs' },
      storageClassName: 'fast',
      claimRef: { name: 'data' },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            {
              matchExpressions: [
                { key: 'topology.kubernetes.io/zone', operator: 'In', values: [ZONE] },
                { key: 'topology.kubernetes.io/region', operator: 'In', values: ['us-central1'] },
              ],
            },
          ],
        },
      },
    });
    expect(spec).not.toHaveProperty('csi');
    expect(metadata.labels).toEqual({
      'topology.kubernetes.io/zone': ZONE,
      'topology.kubernetes.io/region': 'us-central1',
    });
    expect(metadata.annotations).toMatchObject({
      [annotations.provisionedBy]: PLUGIN,
      [annotations.migratedTo]: DRIVER,
      [annotations.deletionSecretName]: '',
    });
    expect(metadata.finalizers).toContain(VOLUME_FINALIZER);
    expect(rig.writes().filter((write) => write.includes('persistentvolumes'))).toEqual(['create persistentvolumes']);
    const counts = (await rig.metrics()).split('\n').filter((line) => /seconds_count.*CreateVolume/.test(line));
    expect(counts).toEqual([expect.stringMatching(/migrated="true".* 1$/)]);
  });

  it('is served too where the cluster names the driver itself', async () => {
    await rig.createClass(migratedClass);
    await rig.start();
    await rig.createClaim('data');
    expect((await provisioned('data')).spec).toHaveProperty('gcePersistentDisk');
  });

  it('is left to the plug-in while the cluster has not migrated', async () => {
    await rig.createClass(migratedClass);
    await rig.start();
    await rig.createClaim('in-tree', { annotations: { [annotations.storageProvisioner]: PLUGIN } });
    await rig.createClaim('data', { annotations: asked });
    await provisioned('data');
    expect(requests('CreateVolume')).toHaveLength(1);
    expect(await rig.eventsOf('in-tree')).toEqual([]);
  });

  it('is told what is wrong with its class, and served once that is mended', async () => {
    const allowedTopologies = [{ matchLabelExpressions: [{ key: 'topology.gke.io/zone', values: [ZONE] }] }];
    await rig.createClass({ ...migratedClass, allowedTopologies });
    await rig.start();
    await rig.createClaim('data', { annotations: asked });
    expect(await untilFailed('data')).toContain('StorageClass "fast" cannot be translated: the class has both');
    expect(requests('CreateVolume')).toEqual([]);
    await rig.createClass({ ...migratedClass, parameters: { type: 'pd-ssd' }, allowedTopologies });
    await provisioned('data');
  });

  it('leaves no volume behind that the plug-in could not name', async () => {
    handleOf = (name) => `odd/${name}`;
    await rig.createClass(migratedClass);
    await rig.start();
    const claim = await rig.createClaim('data', { annotations: asked });
    expect(await untilFailed('data')).toMatch(/cannot be translated: volume handle "odd\/.*was deleted again/);
    expect(requests('DeleteVolume')).toMatchObject([{ volumeId: `odd/pvc-${claim.metadata.uid}` }]);
    expect(await rig.volumes()).toEqual([]);
  });

  it('is satisfied by the PersistentVolume whose reply was lost', async () => {
    let isLost = false;
    rig.cluster.intercept(({ verb, resource }) => {
      if (verb !== 'create' || resource !== 'persistentvolumes' || isLost) return undefined;
      isLost = true;
      return { drop: 'after' };
    });
    await rig.createClass(migratedClass);
    await rig.start();
    await rig.createClaim('data', { annotations: asked });
    await provisioned('data');
    expect(isLost).toBe(true);
    expect(await rig.volumes()).toHaveLength(1);
    expect(requests('DeleteVolume')).toEqual([]);
  });

  it('gets the plug-in’s PersistentVolume also from the process that comes after, though claim and class are gone', async () => {
    const held = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const remove = rig.driver.around(async ({ method }, proceed) => {
      if (method === 'CreateVolume') {
        held.resolve();
        await goOn.promise;
      }
      return await proceed();
    });
    await rig.createClass(migratedClass);
    await rig.start();
    await rig.createClaim('data', { annotations: asked });
    await held.promise;
    await rig.stopController();
    remove();
    goOn.resolve();
    await rig.deleteClaim('data');
    await rig.deleteClass();
    await rig.start();
    await eventually(async () => expect(await rig.volumes()).toHaveLength(1));
    const [volume] = await rig.volumes();
    expect(volume?.spec).toMatchObject({ gcePersistentDisk: { fsType: 'xfs' } });
    expect(volume?.metadata.annotations).toMatchObject({ [annotations.provisionedBy]: PLUGIN });
    const [first, ...more] = requests('CreateVolume');
    expect(more).toEqual([first]);
  });
});

describe('a released volume of the plug-in', () => {
  async function released(name: string, notes: Record<string, string>, zone = ZONE): Promise<void> {
    await rig.cluster.client.create(persistentVolumes, {
      metadata: {
        name,
        labels: { 'topology.kubernetes.io/zone': zone },
        annotations: notes,
        finalizers: [VOLUME_FINALIZER],
      },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Delete',
        gcePersistentDisk: { pdName: `disk-of-${name}` },
      },
    });
    await rig.release(name);
  }
  const migrated = { [annotations.provisionedBy]: PLUGIN, [annotations.migratedTo]: DRIVER };
  const gone = (name: string) =>
    eventually(async () => expect((await rig.volume(name))?.metadata.finalizers ?? []).not.toContain(VOLUME_FINALIZER));

  it('is deleted by the name that the driver knows it by', async () => {
    await released('pv-1', migrated);
    await rig.start();
    await gone('pv-1');
    expect(requests('DeleteVolume')).toMatchObject([
      { volumeId: `projects/UNSPECIFIED/zones/${ZONE}/disks/disk-of-pv-1` },
    ]);
    const counts = (await rig.metrics()).split('\n').filter((line) => /seconds_count.*DeleteVolume/.test(line));
    expect(counts).toEqual([expect.stringMatching(/migrated="true".* 1$/)]);
  });

  it('is left to the plug-in unless the cluster has given it to the driver', async () => {
    await released('in-tree', { [annotations.provisionedBy]: PLUGIN });
    await released('unmarked', {});
    await released('pv-1', migrated);
    await rig.start();
    await gone('pv-1');
    expect(requests('DeleteVolume')).toHaveLength(1);
    expect((await rig.volume('in-tree'))?.metadata.finalizers).toContain(VOLUME_FINALIZER);
    expect((await rig.volume('unmarked'))?.metadata.finalizers).toContain(VOLUME_FINALIZER);
  });

  it('that cannot be translated says why, and goes once it can', async () => {
    await released('pv-1', migrated, 'us-central1-a__us-east1-b');
    await rig.start();
    await eventually(async () =>
      expect((await rig.eventsOf('pv-1')).join()).toContain(
        'Warning VolumeFailedDelete PersistentVolume "pv-1" cannot be translated: zones us-central1-a, us-east1-b lie in several regions',
      ),
    );
    const labels = { 'topology.kubernetes.io/zone': ZONE };
    await rig.cluster.client.patch(
      persistentVolumes,
      { name: 'pv-1' },
      { kind: 'merge', body: { metadata: { labels } } },
    );
    await gone('pv-1');
    expect(requests('DeleteVolume')).toHaveLength(1);
  });
});
