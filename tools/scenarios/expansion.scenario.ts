import { pods } from '@holdfast/kube';
import { expect } from 'vitest';
import { canGrowMountedExt } from '../../packages/mount/src/index.ts';
import {
  placeOf,
  seeAttached,
  seeBound,
  seeClaimGrown,
  seeClaimWaitingForNode,
  seeDetached,
  seeEvent,
  seeFile,
  seePodGone,
  seeRunning,
  seeVolumeGrown,
  sizeOfFileSystem,
} from './expectations.ts';
import { oneNode } from './nodes.ts';
import { scenariosOn } from './on-rig.ts';
import type { Scene } from './scene.ts';
import { found, notYet } from './world.ts';

const scenario = scenariosOn({ backend: 'disk', nodes: oneNode });
const mebibyte = 2 ** 20;

scenario('expansion while the volume is in use', async (scene) => {
  // Only with CAP_SYS_RESOURCE does the kernel grow a mounted ext4.
  const [fsType, smallMi, largeMi] = (await canGrowMountedExt())
    ? (['ext4', 64, 128] as const)
    : (['xfs', 300, 400] as const);
  const className = await scene.addClass({ name: 'later', binding: 'WaitForFirstConsumer', fsType });
  await scene.addClaim({ name: 'data', className, sizeMi: smallMi });
  await scene.addPod({ name: 'user', claim: 'data', script: 'echo kept > /data/word' });
  const volume = await seeBound(scene, 'data');
  const place = placeOf(scene, await seeRunning(scene, 'user'));
  const before = sizeOfFileSystem(place);
  expect(before).toBeLessThanOrEqual(smallMi * mebibyte);

  await scene.askForSize('data', largeMi);
  await seeVolumeGrown(scene, volume.metadata.name, largeMi);
  await seeClaimGrown(scene, 'data', largeMi);
  await seeFileSystemGrown(scene, place, before + ((largeMi - smallMi) / 2) * mebibyte);
  expect(scene.pod('user')?.status?.phase).toBe('Running');
  await scene.capture('expanded');
  expect(expansionsOf(scene, volume.spec?.csi?.volumeHandle)).toEqual(['ControllerExpandVolume OK']);
});

scenario('expansion while nobody uses the volume', async (scene) => {
  const className = await scene.addClass({ name: 'now', binding: 'Immediate', fsType: 'ext4' });
  await scene.addClaim({ name: 'data', className });
  await scene.addPod({ name: 'writer', claim: 'data', script: 'echo kept > /data/word' });
  const volume = await seeBound(scene, 'data');
  await seeFile(scene, await seeRunning(scene, 'writer'), 'word', /^kept$/m);
  await scene.delete(pods, 'writer');
  await seePodGone(scene, 'writer');
  await seeDetached(scene, volume.metadata.name);

  await scene.askForSize('data', 128);
  await seeVolumeGrown(scene, volume.metadata.name, 128);
  await seeClaimWaitingForNode(scene, 'data');
  await seeEvent(scene, 'data', /^FileSystemResizeRequired: /);
  expect(scene.claim('data')?.status?.capacity).toEqual({ storage: '64Mi' });
  await scene.capture('expanded');

  await scene.addPod({ name: 'reader', claim: 'data', script: 'cp /data/word /data/read' });
  const reader = await seeRunning(scene, 'reader');
  await seeAttached(scene, volume.metadata.name);
  await seeClaimGrown(scene, 'data', 128);
  await seeFileSystemGrown(scene, placeOf(scene, reader), 96 * mebibyte);
  await seeFile(scene, reader, 'read', /^kept$/m);
  expect(expansionsOf(scene, volume.spec?.csi?.volumeHandle)).toEqual(['ControllerExpandVolume OK']);
});

async function seeFileSystemGrown(scene: Scene, place: string, bytes: number): Promise<void> {
  await scene.world.until({
    what: `the file system at ${place} to have more than ${bytes} bytes`,
    look: () => {
      const size = sizeOfFileSystem(place);
      return size > bytes ? found(true) : notYet(`${size}`);
    },
  });
}

function expansionsOf(scene: Scene, handle = ''): string[] {
  return scene.callsOf(handle).filter((call) => call.startsWith('ControllerExpandVolume'));
}
