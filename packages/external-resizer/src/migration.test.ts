import { persistentVolumeClaims, persistentVolumes } from '@holdfast/kube';
import { afterEach, expect, test, vi } from 'vitest';
import { claimRef, GI, grows, type Rig, startRig } from './testing/rig.ts';

/* A driver that took the place of the in-tree plug-in kubernetes.io/gce-pd. */

const DRIVER = 'pd.csi.storage.gke.io';
const RESIZER = 'volume.kubernetes.io/storage-resizer';
const disk = { csi: undefined, gcePersistentDisk: { pdName: 'disk-1', fsType: 'xfs' }, accessModes: ['ReadWriteMany'] };

let rig: Rig;
afterEach(() => rig.stop());

/** What kube-controller-manager's expand controller writes. */
async function nameResizer(resizer: string): Promise<void> {
  const body = { metadata: { annotations: { [RESIZER]: resizer } } };
  await rig.cluster.client.patch(persistentVolumeClaims, claimRef, { kind: 'merge', body });
}

async function label(labels: Record<string, string>): Promise<void> {
  await rig.cluster.client.patch(
    persistentVolumes,
    { name: 'pv-1' },
    { kind: 'merge', body: { metadata: { labels } } },
  );
}

const untilClaimHas = (size: string) =>
  vi.waitFor(async () => expect((await rig.claim()).status?.capacity?.storage).toBe(size));
const requests = () => rig.driver.callsOf('ControllerExpandVolume').map(({ request }) => request);

test('an in-tree volume grows once its claim names the driver, and stays as it is', async () => {
  rig = await startRig({ name: DRIVER, handlers: { ControllerExpandVolume: grows(undefined, false) } }, disk);
  await label({ 'topology.kubernetes.io/zone': 'us-central1-b' });
  await rig.start();
  await rig.request('2Gi');
  await nameResizer('kubernetes.io/gce-pd');
  await nameResizer(DRIVER);
  await untilClaimHas('2Gi');
  expect(requests()).toMatchObject([
    {
      volumeId: 'projects/UNSPECIFIED/zones/us-central1-b/disks/disk-1',
      capacityRange: { requiredBytes: 2n * GI },
      volumeCapability: {
        accessMode: { mode: 1 },
        accessType: { value: { fsType: 'xfs', mountFlags: ['noatime'] } },
      },
    },
  ]);
  const { spec } = await rig.volume();
  expect(spec).toMatchObject({ gcePersistentDisk: { pdName: 'disk-1' }, capacity: { storage: '2Gi' } });
  expect(spec).not.toHaveProperty('csi');
  expect(spec?.accessModes).toEqual(['ReadWriteMany']);
  const counts = (await rig.metrics()).split('\n').filter((line) => /seconds_count.*ControllerExpandVolume/.test(line));
  expect(counts).toEqual([expect.stringMatching(/migrated="true".* 1$/)]);
});

test('an in-tree volume whose claim names the plug-in is left to it', async () => {
  rig = await startRig({ name: DRIVER, handlers: { ControllerExpandVolume: grows(undefined, false) } }, disk);
  await nameResizer('kubernetes.io/gce-pd');
  await rig.start();
  await rig.request('2Gi');
  const left = "the claim's volume.kubernetes.io/storage-resizer does not name the driver";
  await vi.waitFor(() => expect(rig.log.lines.some(({ fields }) => fields.reason === left)).toBe(true));
  expect(requests()).toEqual([]);
});

test('a volume that cannot be translated says why on the claim, and grows once it can', async () => {
  rig = await startRig({ name: DRIVER, handlers: { ControllerExpandVolume: grows(undefined, false) } }, disk);
  await label({ 'topology.kubernetes.io/zone': 'us-central1-a__zone' });
  await nameResizer(DRIVER);
  await rig.start();
  await rig.request('2Gi');
  await vi.waitFor(async () => {
    const [event] = await rig.events();
    expect(event).toMatchObject({ type: 'Warning', reason: 'VolumeResizeFailed' });
    expect(event?.message).toContain(
      'PersistentVolume "pv-1" cannot be translated: "zone" is not a zone of Google Cloud',
    );
  });
  await label({ 'topology.kubernetes.io/zone': 'us-central1-a__us-central1-b' });
  await untilClaimHas('2Gi');
  expect(requests()).toMatchObject([{ volumeId: 'projects/UNSPECIFIED/regions/us-central1/disks/disk-1' }]);
});

test('a driver that took no plug-in’s place leaves in-tree volumes alone, whatever the claim says', async () => {
  rig = await startRig({ handlers: { ControllerExpandVolume: grows(undefined, false) } }, disk);
  await nameResizer(rig.driver.name);
  await rig.start();
  await rig.request('2Gi');
  const left = 'the volume belongs to another driver';
  await vi.waitFor(() => expect(rig.log.lines.some(({ fields }) => fields.reason === left)).toBe(true));
  expect(requests()).toEqual([]);
});
