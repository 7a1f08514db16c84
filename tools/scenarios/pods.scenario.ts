import { persistentVolumeClaims, pods } from '@holdfast/kube';
import { expect } from 'vitest';
import { mountsUnder, readMountInfo } from '../../packages/mount/src/index.ts';
import { expectCalls } from './expect-calls.ts';
import {
  placeOf,
  seeAttached,
  seeBound,
  seeDetached,
  seeEvent,
  seeFile,
  seePodGone,
  seeRunning,
  seeVolumeGone,
} from './expectations.ts';
import { on, threeNodes } from './nodes.ts';
import { scenariosOn } from './on-rig.ts';

const scenario = scenariosOn({ backend: 'disk', nodes: threeNodes });

scenario('raw block', async (scene) => {
  const className = await scene.addClass({ name: 'later', binding: 'WaitForFirstConsumer' });
  await scene.addClaim({ name: 'data', className, mode: 'Block' });
  const write = "printf 'block 1' | dd of=/dev/data bs=512 conv=notrunc,fsync,sync";
  await scene.addPod({ name: 'writer', claim: 'data', isBlock: true, labels: on('node-a'), script: write });
  const volume = await seeBound(scene, 'data');
  expect(volume.spec).toMatchObject({ volumeMode: 'Block' });
  expect(volume.spec?.csi).not.toHaveProperty('fsType');
  await seeRunning(scene, 'writer');
  await scene.capture('attached');
  await scene.delete(pods, 'writer');
  await seePodGone(scene, 'writer');

  // The other node of the zone reads what was written; the pod ends unless it is there.
  const read = 'for i in 1 2 3; do head -c 7 /dev/data | grep -qx "block 1"; done';
  await scene.addPod({ name: 'reader', claim: 'data', isBlock: true, labels: on('node-b'), script: read });
  const reader = await seeRunning(scene, 'reader');
  expect(reader.spec?.nodeName).toBe('node-b');
});

scenario('two pods on one node with one claim', async (scene) => {
  const className = await scene.addClass({ name: 'later', binding: 'WaitForFirstConsumer' });
  await scene.addClaim({ name: 'data', className });
  await scene.addPod({ name: 'first', claim: 'data', labels: on('node-a'), script: 'echo first > /data/first' });
  const volume = await seeBound(scene, 'data');
  await seeFile(scene, await seeRunning(scene, 'first'), 'first', /^first$/m);
  await scene.addPod({ name: 'second', claim: 'data', labels: on('node-a'), script: 'cp /data/first /data/second' });
  const second = await seeRunning(scene, 'second');
  await seeFile(scene, second, 'second', /^first$/m);
  expect(scene.attachmentsOf(volume.metadata.name)).toHaveLength(1);
  await scene.capture('attached');

  await scene.delete(pods, 'first');
  await seePodGone(scene, 'first');
  expect(scene.attachmentsOf(volume.metadata.name).map(({ status }) => status?.attached)).toEqual([true]);
  expect(mountsUnder(await readMountInfo(), placeOf(scene, second))).toHaveLength(1);
  await scene.delete(pods, 'second');
  await seeDetached(scene, volume.metadata.name);
  await scene.delete(persistentVolumeClaims, 'data');
  await seeVolumeGone(scene, volume.metadata.name);
  expectCalls(scene, volume.spec?.csi?.volumeHandle, [
    'CreateVolume OK',
    'ControllerPublishVolume OK',
    'ControllerUnpublishVolume OK',
    'DeleteVolume OK',
  ]);
});

scenario('ReadWriteOncePod', async (scene) => {
  const className = await scene.addClass({ name: 'later', binding: 'WaitForFirstConsumer' });
  await scene.addClaim({ name: 'data', className, access: 'ReadWriteOncePod' });
  await scene.addPod({ name: 'first', claim: 'data', labels: on('node-a') });
  const volume = await seeBound(scene, 'data');
  await seeRunning(scene, 'first');
  await seeAttached(scene, volume.metadata.name);
  await scene.capture('attached');
  await scene.addPod({ name: 'second', claim: 'data', labels: on('node-a') });
  await seeEvent(scene, 'second', /^FailedScheduling: .*ReadWriteOncePod/s);
  expect(scene.pod('second')?.spec?.nodeName).toBeUndefined();
  await scene.delete(pods, 'first');
  await seeRunning(scene, 'second');
});

scenario('a pod that moves to another node of the zone', async (scene) => {
  const className = await scene.addClass({ name: 'later', binding: 'WaitForFirstConsumer' });
  await scene.addClaim({ name: 'data', className });
  const write = 'head -c 1048576 /dev/urandom > /data/bytes; sha256sum < /data/bytes > /data/written';
  await scene.addPod({ name: 'writer', claim: 'data', labels: on('node-a'), script: write });
  const volume = await seeBound(scene, 'data');
  const writer = await seeRunning(scene, 'writer');
  const written = await seeFile(scene, writer, 'written', /^[0-9a-f]{64}/);
  const handle = volume.spec?.csi?.volumeHandle ?? '';

  // Both at once: the volume has to leave the one node before it comes to the other.
  await scene.delete(pods, 'writer');
  const read = 'sha256sum < /data/bytes > /data/read';
  await scene.addPod({ name: 'reader', claim: 'data', labels: on('node-b'), script: read });
  const reader = await seeRunning(scene, 'reader');
  expect(await seeFile(scene, reader, 'read', /^[0-9a-f]{64}/)).toBe(written);
  expect(scene.attachmentsOf(volume.metadata.name).map(({ spec }) => spec?.nodeName)).toEqual(['node-b']);
  expectCalls(scene, handle, [
    'CreateVolume OK',
    'ControllerPublishVolume OK',
    'ControllerUnpublishVolume OK',
    'ControllerPublishVolume OK',
  ]);
  await scene.capture('attached');
});
