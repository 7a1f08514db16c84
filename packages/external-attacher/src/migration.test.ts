import { type PersistentVolume, persistentVolumes, volumeAttachments } from '@holdfast/kube';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually, type Rig, startRig } from './testing/rig.ts';

/* A driver that took the place of the in-tree plug-in kubernetes.io/gce-pd. */

const DRIVER = 'pd.csi.storage.gke.io';
const FINALIZER = 'external-attacher/pd-csi-storage-gke-io';
const NODE_ID = 'projects/p/zones/us-central1-b/instances/node-1';
const HANDLE = 'projects/UNSPECIFIED/zones/us-central1-b/disks/disk-1';
const LISTED_HANDLE = 'projects/p/zones/us-central1-b/disks/disk-1';
const migratedTo = { 'pv.kubernetes.io/migrated-to': DRIVER };

let rig: Rig;
let listed: Map<string, string[]>;
afterEach(() => rig.stop());

const published = () => rig.driver.callsOf('ControllerPublishVolume').map(({ request }) => request);
const unpublished = () => rig.driver.callsOf('ControllerUnpublishVolume').map(({ request }) => request);

beforeEach(async () => {
  listed = new Map();
  rig = await startRig({
    name: DRIVER,
    capabilities: {
      controller: ['CREATE_DELETE_VOLUME', 'PUBLISH_UNPUBLISH_VOLUME', 'LIST_VOLUMES', 'LIST_VOLUMES_PUBLISHED_NODES'],
    },
    handlers: {
      ControllerPublishVolume: () => {
        listed.set(LISTED_HANDLE, [NODE_ID]);
        return Promise.resolve({ publishContext: {} });
      },
      ControllerUnpublishVolume: () => Promise.resolve({}),
      ListVolumes: () =>
        Promise.resolve({
          entries: [...listed].map(([volumeId, publishedNodeIds]) => ({
            volume: {
              volumeId,
              capacityBytes: 1n,
              volumeContext: {},
              contentSource: undefined,
              accessibleTopology: [],
            },
            status: { publishedNodeIds },
          })),
          nextToken: '',
        }),
    },
  });
  await rig.addNode('node-1', NODE_ID);
});

async function addDisk(part: { metadata?: object; spec?: PersistentVolume['spec'] } = {}): Promise<void> {
  await rig.cluster.client.create(persistentVolumes, {
    metadata: {
      name: 'pv-1',
      labels: { 'topology.kubernetes.io/zone': 'us-central1-b' },
      annotations: migratedTo,
      ...part.metadata,
    },
    spec: {
      capacity: { storage: '1Gi' },
      // The plug-in did not mind; the driver would.
      accessModes: ['ReadWriteMany'],
      persistentVolumeReclaimPolicy: 'Retain',
      mountOptions: ['noatime'],
      gcePersistentDisk: { pdName: 'disk-1', fsType: 'xfs', partition: 2 },
      ...part.spec,
    },
  });
}

const finalizersOf = async () =>
  (await rig.cluster.client.get(persistentVolumes, { name: 'pv-1' })).metadata.finalizers ?? [];

test('an in-tree volume is published and unpublished as the driver knows it, and stays as it is', async () => {
  await addDisk();
  await rig.start();
  await rig.addAttachment('va-1', 'pv-1', 'node-1');
  const attached = await rig.untilAttached('va-1');
  expect(published()).toMatchObject([
    {
      volumeId: HANDLE,
      nodeId: NODE_ID,
      volumeContext: { partition: '2' },
      volumeCapability: {
        accessMode: { mode: 1 },
        accessType: { value: { fsType: 'xfs', mountFlags: ['noatime'] } },
      },
    },
  ]);
  expect(attached.metadata.annotations).toMatchObject({ 'attacher.csi.holdfast/volume-handle': HANDLE });
  const volume = await rig.cluster.client.get(persistentVolumes, { name: 'pv-1' });
  expect(volume.metadata.finalizers).toContain(FINALIZER);
  expect(volume.spec).toMatchObject({ gcePersistentDisk: { pdName: 'disk-1' }, accessModes: ['ReadWriteMany'] });
  expect(volume.spec).not.toHaveProperty('csi');

  await rig.cluster.client.delete(volumeAttachments, { name: 'va-1' });
  await rig.untilGone('va-1');
  expect(unpublished()).toMatchObject([{ volumeId: HANDLE, nodeId: NODE_ID }]);
});

test('the metrics tell calls for in-tree volumes from others', async () => {
  await addDisk();
  await rig.start();
  await rig.addAttachment('va-1', 'pv-1', 'node-1');
  await rig.addInlineAttachment('va-2', 'projects/p/zones/us-central1-b/disks/other', 'node-1');
  await rig.untilAttached('va-1');
  await rig.untilAttached('va-2');
  const counts = (await rig.metrics()).split('\n').filter((line) => /seconds_count.*ControllerPublish/.test(line));
  expect(counts).toHaveLength(2);
  expect(counts.filter((line) => line.includes('migrated="true"') && line.endsWith(' 1'))).toHaveLength(1);
  expect(counts.filter((line) => line.includes('migrated="false"') && line.endsWith(' 1'))).toHaveLength(1);
});

test('a volume that cannot be translated says why, and is taken once it can', async () => {
  await addDisk({ metadata: { labels: { 'topology.kubernetes.io/zone': 'us-central1-a__us-east1-b' } } });
  await rig.start();
  await rig.addAttachment('va-1', 'pv-1', 'node-1');
  expect(await rig.untilError('va-1', 'attachError')).toBe(
    'PersistentVolume "pv-1" cannot be translated: zones us-central1-a, us-east1-b lie in several regions',
  );
  const labels = { 'topology.kubernetes.io/zone': 'us-central1-a__us-central1-b' };
  await rig.cluster.client.patch(
    persistentVolumes,
    { name: 'pv-1' },
    { kind: 'merge', body: { metadata: { labels } } },
  );
  await rig.untilAttached('va-1');
  expect(published()).toMatchObject([{ volumeId: 'projects/UNSPECIFIED/regions/us-central1/disks/disk-1' }]);
});

test('a volume of another plug-in is refused', async () => {
  await rig.cluster.client.create(persistentVolumes, {
    metadata: { name: 'pv-1' },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], cinder: { volumeID: '1' } },
  });
  await rig.start();
  await rig.addAttachment('va-1', 'pv-1', 'node-1');
  expect(await rig.untilError('va-1', 'attachError')).toContain('is of no in-tree plug-in whose place driver');
  expect(published()).toEqual([]);
});

test('the finalizer stays on a migrated volume, and goes where the cluster went back to the plug-in', async () => {
  await addDisk({ metadata: { annotations: migratedTo, finalizers: [FINALIZER] } });
  await rig.start();
  await rig.addAttachment('va-1', 'pv-1', 'node-1');
  await rig.untilAttached('va-1');
  await rig.cluster.client.delete(volumeAttachments, { name: 'va-1' });
  await rig.untilGone('va-1');
  expect(await finalizersOf()).toContain(FINALIZER);

  const back = { metadata: { annotations: { 'pv.kubernetes.io/migrated-to': null } } };
  await rig.cluster.client.patch(persistentVolumes, { name: 'pv-1' }, { kind: 'merge', body: back });
  await eventually(async () => expect(await finalizersOf()).not.toContain(FINALIZER));
});

test('what the driver lists is compared by the handle that it uses itself', async () => {
  await addDisk();
  await rig.start('--reconcile-sync=10ms');
  await rig.addAttachment('va-1', 'pv-1', 'node-1');
  await rig.untilAttached('va-1');
  // A round that looked for the translated handle would publish again.
  const rounds = rig.driver.callsOf('ListVolumes').length;
  await eventually(() => expect(rig.driver.callsOf('ListVolumes').length).toBeGreaterThan(rounds + 5));
  expect(published()).toHaveLength(1);

  listed.clear();
  await eventually(() => expect(published()).toHaveLength(2));
});
