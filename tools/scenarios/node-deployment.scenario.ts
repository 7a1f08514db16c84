import { type PersistentVolume, persistentVolumeClaims, pods } from '@holdfast/kube';
import { expect } from 'vitest';
import { sidecarNamespace } from './capture.ts';
import { withoutRepeats } from './expect-calls.ts';
import { seeBound, seeFile, seePodGone, seeRunning, seeVolumeGone } from './expectations.ts';
import { on, twoIslands } from './nodes.ts';
import { scenariosOn } from './on-rig.ts';
import type { Scene } from './scene.ts';

const scenario = scenariosOn({ backend: 'dir', nodes: twoIslands, sidecars: [], isPerNode: true });

scenario('a provisioner on each node', async (scene) => {
  for (const { name: node } of twoIslands) {
    const env = { NODE_NAME: node, NAMESPACE: sidecarNamespace };
    await scene.rig.startSidecar('provisioner', { replica: node, node, args: ['--node-deployment'], env });
  }
  const later = await scene.addClass({ name: 'later', binding: 'WaitForFirstConsumer' });
  await scene.addClaim({ name: 'pinned', className: later });
  await scene.addPod({ name: 'writer', claim: 'pinned', labels: on('node-b'), script: 'echo here > /data/word' });
  const pinned = await seeBound(scene, 'pinned');
  await seeFile(scene, await seeRunning(scene, 'writer'), 'word', /^here$/m);
  expect(callsOf(scene, 'node-a', pinned)).toEqual([]);
  await scene.capture('bound');
  await scene.delete(pods, 'writer');
  await seePodGone(scene, 'writer');
  await scene.delete(persistentVolumeClaims, 'pinned');
  await seeVolumeGone(scene, pinned.metadata.name);
  expect(callsOf(scene, 'node-a', pinned)).toEqual([]);
  expect(callsOf(scene, 'node-b', pinned)).toEqual(['CreateVolume OK', 'DeleteVolume OK']);

  // The first to take it makes it; the other one leaves it alone.
  const now = await scene.addClass({ name: 'now', binding: 'Immediate' });
  await scene.addClaim({ name: 'anywhere', className: now });
  const anywhere = await seeBound(scene, 'anywhere');
  await scene.delete(persistentVolumeClaims, 'anywhere');
  await seeVolumeGone(scene, anywhere.metadata.name);
  const calls = twoIslands.map(({ name }) => callsOf(scene, name, anywhere));
  expect(calls.toSorted((a, b) => a.length - b.length)).toEqual([[], ['CreateVolume OK', 'DeleteVolume OK']]);
});

/** Of the node's driver, as the controller of its own volumes. */
function callsOf({ rig }: Scene, node: string, volume: PersistentVolume): readonly string[] {
  const handle = volume.spec?.csi?.volumeHandle;
  const calls = rig
    .nodeDriverCalls(node)
    .filter(({ method, volumeId }) => volumeId === handle && /^(?:Create|Delete)Volume$/.test(method))
    .map(({ method, code }) => `${method} ${code}`);
  return withoutRepeats(calls);
}
