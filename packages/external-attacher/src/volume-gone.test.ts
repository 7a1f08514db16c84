import { persistentVolumes, secrets, volumeAttachments } from '@holdfast/kube';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { annotations } from './names.ts';
import { FINALIZER } from './testing/objects.ts';
import { eventually, type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
afterEach(() => rig.stop());
beforeEach(async () => {
  rig = await startRig();
  await rig.addNode('node-1');
});

const unpublishes = () => rig.driver.callsOf('ControllerUnpublishVolume').map(({ request }) => request);

/** Whoever takes the finalizers off by hand makes a volume vanish that is still attached. */
async function removeByForce(name: string): Promise<void> {
  const { client } = rig.cluster;
  await client.delete(persistentVolumes, { name });
  await client.patch(persistentVolumes, { name }, { kind: 'merge', body: { metadata: { finalizers: null } } });
}

test('a volume whose PersistentVolume is gone is detached from what was recorded, its secret included', async () => {
  await rig.cluster.client.create(secrets, {
    metadata: { name: 'keys', namespace: 'default' },
    data: { password: Buffer.from('hunter2-hunter2').toString('base64') },
  });
  await rig.addVolume('pv-1', { csi: { controllerPublishSecretRef: { name: 'keys', namespace: 'default' } } });
  await rig.start();
  await rig.addAttachment('va-1', 'pv-1', 'node-1');
  await rig.untilAttached('va-1');
  expect(rig.writes()).toHaveLength(3);
  await rig.stopController();
  await removeByForce('pv-1');
  await rig.cluster.client.delete(volumeAttachments, { name: 'va-1' });
  await rig.start();
  await rig.untilGone('va-1');
  expect(unpublishes()).toEqual([
    { volumeId: 'vol-pv-1', nodeId: 'id-of-node-1', secrets: { password: 'hunter2-hunter2' } },
  ]);
  expect(rig.writes()).toHaveLength(4);
});

test('of a volume that was made anew under the same name, the one that was published is detached', async () => {
  await rig.addVolume('pv-1');
  await rig.start();
  await rig.addAttachment('va-1', 'pv-1', 'node-1');
  await rig.untilAttached('va-1');
  await removeByForce('pv-1');
  await rig.addVolume('pv-1', { csi: { volumeHandle: 'another' } });
  await rig.cluster.client.delete(volumeAttachments, { name: 'va-1' });
  await rig.untilGone('va-1');
  expect(unpublishes()).toEqual([{ volumeId: 'vol-pv-1', nodeId: 'id-of-node-1', secrets: {} }]);
});

test('what another program published says what is missing, and goes on once it is told', async () => {
  const { client } = rig.cluster;
  const spec = {
    attacher: 'disk.csi.example',
    nodeName: 'node-1',
    source: { persistentVolumeName: 'pv-of-old' },
  };
  await client.create(volumeAttachments, { metadata: { name: 'va-1', finalizers: [FINALIZER] }, spec });
  await client.delete(volumeAttachments, { name: 'va-1' });
  await rig.start('--retry-interval-start=1m', '--retry-interval-max=1m');
  expect(await rig.untilError('va-1', 'detachError')).toContain(`Set the annotation ${annotations.volumeHandle}`);
  expect(unpublishes()).toEqual([]);
  const metadata = { annotations: { [annotations.volumeHandle]: 'vol-7' } };
  await client.patch(volumeAttachments, { name: 'va-1' }, { kind: 'merge', body: { metadata } });
  await rig.untilGone('va-1');
  expect(unpublishes()).toEqual([{ volumeId: 'vol-7', nodeId: 'id-of-node-1', secrets: {} }]);
});

test('an inline volume is attached and detached without a PersistentVolume, and without a record', async () => {
  rig.driver.on('ControllerPublishVolume', () => Promise.resolve({ publishContext: { lun: '3' } }));
  await rig.start();
  await rig.addInlineAttachment('va-1', 'vol-inline', 'node-1');
  const attached = await rig.untilAttached('va-1');
  expect(attached.metadata.annotations).toEqual({ [annotations.nodeId]: 'id-of-node-1' });
  expect(attached.status?.attachmentMetadata).toEqual({ lun: '3' });
  await rig.cluster.client.delete(volumeAttachments, { name: 'va-1' });
  await rig.untilGone('va-1');
  expect(unpublishes()).toEqual([{ volumeId: 'vol-inline', nodeId: 'id-of-node-1', secrets: {} }]);
  await eventually(() => expect(rig.writes()).toHaveLength(3));
});
