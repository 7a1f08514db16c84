import { persistentVolumeClaims, persistentVolumes, volumeAttachments } from '@holdfast/kube';
import { expect } from 'vitest';
import { expectCalls } from './expect-calls.ts';
import { seeAttached, seeBound, seeDetached, seeVolumeGone } from './expectations.ts';
import { oneNode } from './nodes.ts';
import { scenariosOn } from './on-rig.ts';
import type { Scene } from './scene.ts';
import { found, notYet } from './world.ts';

const scenario = scenariosOn({ backend: 'disk', nodes: oneNode });

scenario('a volume that is still attached is not deleted', async (scene) => {
  const className = await scene.addClass({ name: 'now', binding: 'Immediate' });
  await scene.addClaim({ name: 'data', className });
  const volume = await seeBound(scene, 'data');
  const { name } = volume.metadata;
  // Nobody's pod: it stays until it is taken away by hand.
  await scene.add(volumeAttachments, {
    metadata: { name: `by-hand-${name}` },
    spec: { attacher: scene.rig.driverName, nodeName: 'node-a', source: { persistentVolumeName: name } },
  });
  await seeAttached(scene, name);
  await scene.delete(persistentVolumeClaims, 'data');
  await seeReleased(scene, name);
  await scene.world.untilQuiet();
  expect(scene.callsOf(volume.spec?.csi?.volumeHandle ?? '')).not.toContain('DeleteVolume OK');
  await scene.delete(volumeAttachments, `by-hand-${name}`);
  await seeDetached(scene, name);
  await seeVolumeGone(scene, name);
  expectCalls(scene, volume.spec?.csi?.volumeHandle, [
    'CreateVolume OK',
    'ControllerPublishVolume OK',
    'ControllerUnpublishVolume OK',
    'DeleteVolume OK',
  ]);
});

scenario('a retained volume that is to be deleted after all', async (scene) => {
  const className = await scene.addClass({ name: 'kept', binding: 'Immediate', reclaim: 'Retain' });
  await scene.addClaim({ name: 'data', className });
  const volume = await seeBound(scene, 'data');
  const { name } = volume.metadata;
  await scene.capture('bound');
  await scene.delete(persistentVolumeClaims, 'data');
  await seeReleased(scene, name);
  const body = { spec: { persistentVolumeReclaimPolicy: 'Delete' } };
  await scene.client.patch(persistentVolumes, { name }, { kind: 'merge', body });
  await seeVolumeGone(scene, name);
  expectCalls(scene, volume.spec?.csi?.volumeHandle, ['CreateVolume OK', 'DeleteVolume OK']);
});

async function seeReleased(scene: Scene, name: string): Promise<void> {
  await scene.world.until({
    what: `volume ${name} to be Released`,
    look: () => {
      const phase = scene.volume(name)?.status?.phase;
      return phase === 'Released' ? found(true) : notYet(`${phase}`);
    },
  });
}
