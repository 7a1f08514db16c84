import { persistentVolumeClaims, volumeAttributesClasses } from '@holdfast/kube';
import { expect } from 'vitest';
import { withoutRepeats } from './expect-calls.ts';
import { seeBound, seeEvent, seeRunning } from './expectations.ts';
import { oneNode } from './nodes.ts';
import { scenariosOn } from './on-rig.ts';
import type { Scene } from './scene.ts';
import { found, notYet } from './world.ts';

const scenario = scenariosOn({
  backend: 'disk',
  nodes: oneNode,
  sidecarArgs: { resizer: ['--retry-interval-start=200ms', '--retry-interval-max=2s'] },
});

scenario('attributes of a new volume, and others while it is in use', async (scene) => {
  const className = await scene.addClass({ name: 'now', binding: 'Immediate' });
  const first = await addAttributes(scene, 'first', { label: 'first' });
  const second = await addAttributes(scene, 'second', { label: 'second' });
  const impossible = await addAttributes(scene, 'impossible', { label: 'longer than any file system has' });
  await scene.addClaim({ name: 'data', className, attributes: first });
  const volume = await seeBound(scene, 'data');
  const handle = volume.spec?.csi?.volumeHandle ?? '';
  expect(volume.spec?.volumeAttributesClassName).toBe(first);
  await seeAttributes(scene, first);
  await scene.capture('bound');

  await scene.addPod({ name: 'user', claim: 'data' });
  await seeRunning(scene, 'user');
  await askForAttributes(scene, second);
  await seeAttributes(scene, second);
  await seeEvent(scene, 'data', /^VolumeModifySuccessful: /);
  expect(scene.volume(volume.metadata.name)?.spec?.volumeAttributesClassName).toBe(second);
  expect(modificationsOf(scene, handle)).toEqual(['ControllerModifyVolume OK']);
  await scene.capture('modified');

  await askForAttributes(scene, impossible);
  await seeEvent(scene, 'data', /^VolumeModifyFailed: .*InvalidArgument/s);
  await scene.world.until({
    what: 'claim data to say that it asks for what cannot be',
    look: () => {
      const status = scene.claim('data')?.status?.modifyVolumeStatus;
      return status?.status === 'Infeasible' ? found(true) : notYet(JSON.stringify(status));
    },
  });
  expect(scene.claim('data')?.status?.currentVolumeAttributesClassName).toBe(second);
  await scene.capture('failed');

  await askForAttributes(scene, second);
  await scene.world.until({
    what: 'claim data to ask for nothing more',
    look: () => {
      const status = scene.claim('data')?.status;
      const isDone = status?.modifyVolumeStatus === undefined && (status?.conditions ?? []).length === 0;
      return isDone ? found(true) : notYet(JSON.stringify(status));
    },
  });
  expect(scene.pod('user')?.status?.phase).toBe('Running');
});

async function addAttributes(scene: Scene, name: string, parameters: Record<string, string>): Promise<string> {
  const metadata = { name: `${scene.namespace.slice(0, 20)}-${name}` };
  const made = await scene.add(volumeAttributesClasses, { metadata, driverName: scene.rig.driverName, parameters });
  return made.metadata.name;
}

async function askForAttributes({ client, namespace }: Scene, volumeAttributesClassName: string): Promise<void> {
  const body = { spec: { volumeAttributesClassName } };
  await client.patch(persistentVolumeClaims, { namespace, name: 'data' }, { kind: 'merge', body });
}

async function seeAttributes(scene: Scene, name: string): Promise<void> {
  await scene.world.until({
    what: `claim data with the attributes ${name}`,
    look: () => {
      const status = scene.claim('data')?.status;
      const isSo = status?.currentVolumeAttributesClassName === name && status.modifyVolumeStatus === undefined;
      return isSo ? found(true) : notYet(JSON.stringify(status));
    },
  });
}

function modificationsOf(scene: Scene, handle: string): readonly string[] {
  return withoutRepeats(scene.callsOf(handle).filter((call) => call.startsWith('ControllerModifyVolume')));
}
