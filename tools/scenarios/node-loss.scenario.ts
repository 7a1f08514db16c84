import { expect } from 'vitest';
import { expectCalls } from './expect-calls.ts';
import { seeBound, seeFile, seePodGone, seeRunning } from './expectations.ts';
import { on, threeNodes } from './nodes.ts';
import { scenariosOn } from './on-rig.ts';
import { cutPower, declareInService, declareOutOfService, restorePower } from './power.ts';

const scenario = scenariosOn({ backend: 'disk', nodes: threeNodes });

scenario('a node that vanishes', async (scene) => {
  const className = await scene.addClass({ name: 'later', binding: 'WaitForFirstConsumer' });
  await scene.addClaim({ name: 'data', className });
  const script = 'echo kept > /data/word.part; sync; mv /data/word.part /data/word; sync';
  await scene.addPod({ name: 'first', claim: 'data', labels: on('node-a'), script });
  const volume = await seeBound(scene, 'data');
  await seeFile(scene, await seeRunning(scene, 'first'), 'word', /^kept$/m);
  const handle = volume.spec?.csi?.volumeHandle ?? '';

  const node = scene.rig.node('node-a');
  await cutPower(scene, node, handle);
  await declareOutOfService(scene, 'node-a');
  await scene.addPod({ name: 'replacement', claim: 'data', labels: on('node-b'), script: 'cp /data/word /data/read' });
  await seePodGone(scene, 'first');
  const replacement = await seeRunning(scene, 'replacement');
  await seeFile(scene, replacement, 'read', /^kept$/m);
  expect(scene.attachmentsOf(volume.metadata.name).map(({ spec }) => spec?.nodeName)).toEqual(['node-b']);
  expectCalls(scene, handle, [
    'CreateVolume OK',
    'ControllerPublishVolume OK',
    'ControllerUnpublishVolume OK',
    'ControllerPublishVolume OK',
  ]);
  await scene.capture('attached');

  // Back again, it must not think that it still has the volume.
  await declareInService(scene, 'node-a');
  await restorePower(scene, node);
  expect(scene.pod('replacement')?.status?.phase).toBe('Running');
});
