import { persistentVolumes, volumeAttachments } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually, type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.stop());

/** Asks until the answer has the words. */
async function answerWith(query: string, ...words: RegExp[]): Promise<string> {
  return await eventually(async () => {
    const { status, text } = await rig.explain(query);
    expect(status).toBe(200);
    for (const word of words) expect(text).toMatch(word);
    return text;
  });
}

const slowly = ['--retry-interval-start=1h', '--retry-interval-max=1h'];

test('an attach that lacks the node’s CSINode is explained, and after it has come there is nothing to do', async () => {
  await rig.start(...slowly);
  await rig.addVolume('pv');
  await rig.addAttachment('va', 'pv', 'node-1');
  const text = await answerWith('?attachment=va', /last error: +CSINode "node-1" does not exist/);
  expect(text).toMatch(/waits for: +what the attach lacks/);
  expect(text).toMatch(/because: +CSINode "node-1" does not exist: does kubelet run/);
  expect(text).toMatch(/now: +tried again in 60 min/);
  expect(text).toMatch(/attach error: +CSINode .*written at \d{4}-/);
  expect((await rig.explain()).text).toMatch(/^attachment=va attach: waits for: what the attach lacks/m);
  await rig.addNode('node-1');
  await rig.untilAttached('va');
  await answerWith('?attachment=va', /nothing to do: /, /attached: +yes/);
  expect((await rig.explain()).text).toMatch(/Nothing waits/);
});

test('a detach has the driver’s refusal, its tries, and the volume behind it waits', async () => {
  await rig.start(...slowly);
  await rig.addNode('node-1');
  await rig.addVolume('pv');
  await rig.addAttachment('va', 'pv', 'node-1');
  await rig.untilAttached('va');
  rig.driver.on('ControllerUnpublishVolume', () => Promise.reject(rpcError('Internal', 'the array is down')));
  await rig.cluster.client.delete(volumeAttachments, { name: 'va' });
  await rig.cluster.client.delete(persistentVolumes, { name: 'pv' });
  const text = await answerWith('?attachment=va', /last error: .*the array is down/);
  expect(text).toMatch(/to be done: +ControllerUnpublishVolume of vol-pv from node id-of-node-1/);
  expect(text).toMatch(/failed tries: +1 in a row/);
  await answerWith('?volume=pv', /waits for: +the end of the last VolumeAttachment/, /because: +VolumeAttachment "va"/);
});

test('a publish under way is told with its beginning', async () => {
  const answer = Promise.withResolvers<{ publishContext: Record<string, string> }>();
  rig.driver.on('ControllerPublishVolume', () => answer.promise);
  await rig.start('--timeout=1m', ...slowly);
  await rig.addNode('node-1');
  await rig.addVolume('pv');
  await rig.addAttachment('va', 'pv', 'node-1');
  await answerWith('?attachment=va', /to be done: +ControllerPublishVolume/, /now: +in work for .* since \d{4}-/);
  answer.resolve({ publishContext: {} });
});

test('a new node waits for the old one’s detach by name', async () => {
  await rig.start(...slowly);
  for (const node of ['node-1', 'node-2']) await rig.addNode(node);
  await rig.addVolume('pv');
  await rig.addAttachment('old', 'pv', 'node-1');
  await rig.untilAttached('old');
  rig.driver.on('ControllerUnpublishVolume', () => Promise.reject(rpcError('Internal', 'busy')));
  await rig.cluster.client.delete(volumeAttachments, { name: 'old' });
  await rig.addAttachment('new', 'pv', 'node-2');
  await answerWith(
    '?attachment=new',
    /because: +the volume is still being detached from node "node-1" \(VolumeAttachment "old"\)/,
  );
});
