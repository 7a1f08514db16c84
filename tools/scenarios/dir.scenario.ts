import { persistentVolumeClaims, pods } from '@holdfast/kube';
import { expect } from 'vitest';
import { expectCalls } from './expect-calls.ts';
import { seeBound, seeClaimGrown, seeFile, seePodGone, seeRunning, seeVolumeGone } from './expectations.ts';
import { scenariosOn } from './on-rig.ts';

const scenario = scenariosOn({ backend: 'dir', nodes: [{ name: 'node-a' }] });

scenario('a driver that attaches nothing', async (scene) => {
  const className = await scene.addClass({ name: 'now', binding: 'Immediate' });
  await scene.addClaim({ name: 'data', className });
  const volume = await seeBound(scene, 'data');
  expect(volume.metadata.finalizers).not.toContainEqual(expect.stringMatching(/^external-attacher/));
  await scene.capture('bound');
  await scene.addPod({ name: 'writer', claim: 'data', script: 'echo hello > /data/word' });
  await seeFile(scene, await seeRunning(scene, 'writer'), 'word', /^hello$/m);
  expect(scene.attachmentsOf(volume.metadata.name)).toEqual([]);

  await scene.askForSize('data', 128);
  await seeClaimGrown(scene, 'data', 128);
  await scene.capture('expanded');
  await scene.delete(pods, 'writer');
  await seePodGone(scene, 'writer');
  await scene.delete(persistentVolumeClaims, 'data');
  await seeVolumeGone(scene, volume.metadata.name);
  expectCalls(scene, volume.spec?.csi?.volumeHandle, [
    'CreateVolume OK',
    'ControllerExpandVolume OK',
    'DeleteVolume OK',
  ]);
});
