import { volumeAttachments } from '@holdfast/kube';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually, type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
afterEach(() => rig.stop());

const publishes = () => rig.driver.callsOf('ControllerPublishVolume');
const unpublishes = () => rig.driver.callsOf('ControllerUnpublishVolume');

describe('what is missing is named, and awaited', () => {
  beforeEach(async () => {
    rig = await startRig();
    await rig.start('--retry-interval-start=1m', '--retry-interval-max=1m');
  });

  test('CSINode: the attach goes on as soon as it registers', async () => {
    await rig.addVolume('pv-1');
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    expect(await rig.untilError('va-1', 'attachError')).toMatch(/^CSINode "node-1" does not exist/);
    await rig.addNode('node-1');
    await rig.untilAttached('va-1');
  });

  test('the PersistentVolume: the attach goes on as soon as it appears', async () => {
    await rig.addNode('node-1');
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    expect(await rig.untilError('va-1', 'attachError')).toBe('PersistentVolume "pv-1" does not exist');
    await rig.addVolume('pv-1');
    await rig.untilAttached('va-1');
  });

  test('the secret, before anything is written to the volume', async () => {
    await rig.addNode('node-1');
    await rig.addVolume('pv-1', { csi: { controllerPublishSecretRef: { name: 'keys', namespace: 'default' } } });
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    expect(await rig.untilError('va-1', 'attachError')).toBe(
      'Secret "default/keys", which csi.controllerPublishSecretRef of the volume names, does not exist: create it',
    );
    expect(rig.writes()).toEqual(['patch volumeattachments/status']);
    expect(publishes()).toHaveLength(0);
  });

  test('a single-node volume moves only after it has left the other node', async () => {
    await rig.addNode('node-1');
    await rig.addNode('node-2');
    await rig.addVolume('pv-1');
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    await rig.untilAttached('va-1');
    const leave = Promise.withResolvers<void>();
    rig.driver.on('ControllerUnpublishVolume', async () => {
      await leave.promise;
      return {};
    });
    await rig.cluster.client.delete(volumeAttachments, { name: 'va-1' });
    await eventually(() => expect(unpublishes()).toHaveLength(1));
    await rig.addAttachment('va-2', 'pv-1', 'node-2');
    expect(await rig.untilError('va-2', 'attachError')).toContain('still being detached from node "node-1"');
    expect(publishes()).toHaveLength(1);
    leave.resolve();
    await rig.untilAttached('va-2');
  });

  test('a volume moves once it is unpublished, even if others still hold the VolumeAttachment', async () => {
    const { client } = rig.cluster;
    for (const node of ['node-1', 'node-2']) await rig.addNode(node);
    await rig.addVolume('pv-1');
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    await rig.untilAttached('va-1');
    const path = '/metadata/finalizers/-';
    const others = { kind: 'json' as const, operations: [{ op: 'add' as const, path, value: 'a.example/b' }] };
    await client.patch(volumeAttachments, { name: 'va-1' }, others);
    const leave = Promise.withResolvers<object>();
    rig.driver.on('ControllerUnpublishVolume', () => leave.promise);
    await client.delete(volumeAttachments, { name: 'va-1' });
    await eventually(() => expect(unpublishes()).toHaveLength(1));
    await rig.addAttachment('va-2', 'pv-1', 'node-2');
    await rig.untilError('va-2', 'attachError');
    leave.resolve({});
    await rig.untilAttached('va-2');
    expect((await rig.attachment('va-1'))?.metadata.finalizers).toEqual(['a.example/b']);
  });
});

test('nothing is attached before the CSINodes are known: no needless error, no back-off', async () => {
  rig = await startRig();
  await rig.addNode('node-1');
  await rig.addVolume('pv-1');
  await rig.addAttachment('va-1', 'pv-1', 'node-1');
  const release = Promise.withResolvers<void>();
  rig.cluster.intercept(async ({ resource, userAgent }) => {
    if (resource === 'csinodes' && userAgent === rig.userAgent) await release.promise;
    return undefined;
  });
  const started = rig.start('--retry-interval-start=1m', '--retry-interval-max=1m');
  // The other two caches are complete, and the API server has answered others since.
  const complete = () =>
    rig.cluster.requests
      .filter(({ userAgent, verb }) => userAgent === rig.userAgent && verb !== 'get')
      .map(({ resource }) => resource);
  await eventually(() => expect(new Set(complete())).toEqual(new Set(['persistentvolumes', 'volumeattachments'])));
  for (let turn = 0; turn < 10; turn += 1) await rig.attachment('va-1');
  expect(rig.writes()).toEqual([]);
  release.resolve();
  await started;
  await rig.untilAttached('va-1');
  expect(rig.writes()).toHaveLength(3);
});
