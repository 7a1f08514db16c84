import { csiNodes, volumeAttachments } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { annotations } from './names.ts';
import { eventually, type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
afterEach(() => rig.stop());
beforeEach(async () => {
  rig = await startRig();
  for (const node of ['node-1', 'node-2']) await rig.addNode(node);
  await rig.addVolume('pv-1');
  await rig.start();
  await rig.addAttachment('va-1', 'pv-1', 'node-1');
  await rig.untilAttached('va-1');
});

const nodeIdOf = (request: unknown) =>
  request instanceof Object && 'nodeId' in request && typeof request.nodeId === 'string' ? request.nodeId : '';
const calls = () =>
  rig.driver.calls
    .filter(({ method }) => method === 'ControllerPublishVolume' || method === 'ControllerUnpublishVolume')
    .map(({ method, request }) => `${method} ${nodeIdOf(request)}`);
const publishedTo = () => [...(rig.driver.volumes.get('vol-pv-1')?.publishedTo ?? [])];

test('of a node whose CSINode is gone, a volume is detached by the id that was noted', async () => {
  await rig.cluster.client.delete(csiNodes, { name: 'node-1' });
  await rig.cluster.client.delete(volumeAttachments, { name: 'va-1' });
  await rig.untilGone('va-1');
  expect(calls()).toEqual(['ControllerPublishVolume id-of-node-1', 'ControllerUnpublishVolume id-of-node-1']);
  expect(publishedTo()).toEqual([]);
});

test('where nobody noted the id, the error says what to set, and the detach goes on once it is set', async () => {
  await rig.stopController();
  const noted = (nodeId: string | null) => {
    const body = { metadata: { annotations: { [annotations.nodeId]: nodeId } } };
    return rig.cluster.client.patch(volumeAttachments, { name: 'va-1' }, { kind: 'merge', body });
  };
  await noted(null);
  await rig.cluster.client.delete(csiNodes, { name: 'node-1' });
  await rig.cluster.client.delete(volumeAttachments, { name: 'va-1' });
  await rig.start('--retry-interval-start=1h', '--retry-interval-max=1h');
  expect(await rig.untilError('va-1', 'detachError')).toContain(`the annotation ${annotations.nodeId} is missing`);
  expect(publishedTo()).toEqual(['id-of-node-1']);
  await noted('id-of-node-1');
  await rig.untilGone('va-1');
  expect(publishedTo()).toEqual([]);
});

test('a detach that was forced is not taken for done: another node waits until the driver has done it', async () => {
  const back = rig.driver.on('ControllerUnpublishVolume', () => Promise.reject(rpcError('Internal', 'node is dark')));
  // As kube-controller-manager forces it, after six minutes or for a node that is tainted out-of-service.
  await rig.cluster.client.delete(csiNodes, { name: 'node-1' });
  await rig.cluster.client.delete(volumeAttachments, { name: 'va-1' });
  expect(await rig.untilError('va-1', 'detachError')).toContain('node is dark');
  await rig.addAttachment('va-2', 'pv-1', 'node-2');
  expect(await rig.untilError('va-2', 'attachError')).toContain('still being detached from node "node-1"');
  const tries = calls().length;
  await eventually(() => expect(calls().length).toBeGreaterThan(tries + 2));
  expect(calls()).not.toContain('ControllerPublishVolume id-of-node-2');
  back();
  await rig.untilAttached('va-2');
  expect(calls().slice(-2)).toEqual(['ControllerUnpublishVolume id-of-node-1', 'ControllerPublishVolume id-of-node-2']);
  expect(publishedTo()).toEqual(['id-of-node-2']);
});
