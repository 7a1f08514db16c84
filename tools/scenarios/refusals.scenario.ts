import { persistentVolumeClaims, pods } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { expect } from 'vitest';
import type { DriverFront } from '../rig/driver-front.ts';
import { withoutRepeats } from './expect-calls.ts';
import {
  seeBound,
  seeDetached,
  seeEvent,
  seePodGone,
  seeRunning,
  seeVolumeGone,
  seeVolumeGrown,
} from './expectations.ts';
import { oneNode } from './nodes.ts';
import { scenariosOn } from './on-rig.ts';
import type { Scene } from './scene.ts';
import { found, notYet } from './world.ts';

const impatient = ['--retry-interval-start=200ms', '--retry-interval-max=2s'];
const scenario = scenariosOn({
  backend: 'disk',
  nodes: oneNode,
  isFronted: true,
  sidecarArgs: { provisioner: impatient, attacher: impatient, resizer: impatient },
});

type Refused =
  | 'createVolume'
  | 'controllerPublishVolume'
  | 'controllerUnpublishVolume'
  | 'controllerExpandVolume'
  | 'deleteVolume';

scenario('a driver that refuses each step for a while', async (scene) => {
  const { front } = scene.rig;
  const className = await scene.addClass({ name: 'now', binding: 'Immediate' });
  const creating = refuse(front, 'createVolume');
  await scene.addClaim({ name: 'data', className });
  await seeEvent(scene, 'data', /^ProvisioningFailed: .*Internal.*disk on fire/s);
  expect(scene.claim('data')?.status?.phase).toBe('Pending');
  creating();
  const volume = await seeBound(scene, 'data');
  const { name } = volume.metadata;

  const attaching = refuse(front, 'controllerPublishVolume');
  await scene.addPod({ name: 'user', claim: 'data' });
  await seeEvent(scene, 'user', /^FailedAttachVolume: .*disk on fire/s);
  expect(scene.attachmentsOf(name).map(({ status }) => status?.attachError?.message)).toEqual([
    expect.stringContaining('disk on fire'),
  ]);
  attaching();
  await seeRunning(scene, 'user');
  expect(scene.attachmentsOf(name).map(({ status }) => status?.attachError)).toEqual([undefined]);

  const detaching = refuse(front, 'controllerUnpublishVolume');
  await scene.delete(pods, 'user');
  await seePodGone(scene, 'user');
  await seeDetachError(scene, name);
  detaching();
  await seeDetached(scene, name);

  const growing = refuse(front, 'controllerExpandVolume');
  await scene.askForSize('data', 128);
  await seeEvent(scene, 'data', /^VolumeResizeFailed: .*disk on fire/s);
  growing();
  await seeVolumeGrown(scene, name, 128);

  const deleting = refuse(front, 'deleteVolume');
  await scene.delete(persistentVolumeClaims, 'data');
  await seeEvent(scene, name, /^VolumeFailedDelete: .*disk on fire/s);
  expect(scene.volume(name)?.metadata.finalizers).toContain('external-provisioner.volume.kubernetes.io/finalizer');
  deleting();
  await seeVolumeGone(scene, name);
  const calls = withoutRepeats(scene.callsOf(volume.spec?.csi?.volumeHandle ?? ''));
  expect(calls.filter((call) => call === 'DeleteVolume OK')).toHaveLength(1);
});

/** @returns the end of it */
function refuse(front: DriverFront, method: Refused): () => void {
  return front.on(method, async () => {
    throw rpcError('Internal', 'disk on fire');
  });
}

async function seeDetachError(scene: Scene, volumeName: string): Promise<void> {
  await scene.world.until({
    what: `an attachment of ${volumeName} that says why it is not detached`,
    look: () => {
      const errors = scene.attachmentsOf(volumeName).map(({ status }) => status?.detachError?.message ?? '');
      return errors.some((message) => message.includes('disk on fire')) ? found(true) : notYet(JSON.stringify(errors));
    },
  });
}
