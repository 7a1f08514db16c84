import { persistentVolumeClaims, persistentVolumes, pods } from '@holdfast/kube';
import { expect } from 'vitest';
import { expectCalls } from './expect-calls.ts';
import {
  seeAttached,
  seeBound,
  seeDetached,
  seeEvent,
  seeFile,
  seePodGone,
  seeRunning,
  seeVolumeGone,
} from './expectations.ts';
import { zoneKey } from './manifests.ts';
import { on, threeNodes } from './nodes.ts';
import { scenariosOn } from './on-rig.ts';
import { found, notYet } from './world.ts';

const scenario = scenariosOn({ backend: 'disk', nodes: threeNodes });

scenario('immediate binding', async (scene) => {
  const className = await scene.addClass({ name: 'now', binding: 'Immediate', fsType: 'ext4' });
  await scene.addClaim({ name: 'data', className });
  const volume = await seeBound(scene, 'data');
  expect(volume.metadata.annotations).toMatchObject({ 'pv.kubernetes.io/provisioned-by': scene.rig.driverName });
  expect(volume.metadata.finalizers).toContain('external-provisioner.volume.kubernetes.io/finalizer');
  expect(volume.spec).toMatchObject({
    capacity: { storage: '64Mi' },
    persistentVolumeReclaimPolicy: 'Delete',
    storageClassName: className,
    volumeMode: 'Filesystem',
    csi: { driver: scene.rig.driverName, fsType: 'ext4' },
  });
  await seeEvent(scene, 'data', /^ProvisioningSucceeded: /);
  await scene.capture('bound');
  await scene.delete(persistentVolumeClaims, 'data');
  await seeVolumeGone(scene, volume.metadata.name);
  expectCalls(scene, volume.spec?.csi?.volumeHandle, ['CreateVolume OK', 'DeleteVolume OK']);
});

scenario('binding for the first consumer', async (scene) => {
  const className = await scene.addClass({ name: 'later', binding: 'WaitForFirstConsumer' });
  await scene.addClaim({ name: 'data', className });
  await seeEvent(scene, 'data', /^WaitForFirstConsumer: /);
  expect(scene.claim('data')?.status?.phase).toBe('Pending');
  expect(scene.calls()).toEqual([]);

  await scene.addPod({ name: 'writer', claim: 'data', script: 'echo hello > /data/word' });
  const volume = await seeBound(scene, 'data');
  const pod = await seeRunning(scene, 'writer');
  const nodeName = pod.spec?.nodeName ?? '';
  expect(scene.claim('data')?.metadata.annotations).toMatchObject({
    'volume.kubernetes.io/selected-node': nodeName,
  });
  expect(zonesOf(volume)).toEqual([threeNodes.find(({ name }) => name === nodeName)?.zone]);
  const attachment = await seeAttached(scene, volume.metadata.name);
  expect(attachment.spec).toMatchObject({ attacher: scene.rig.driverName, nodeName });
  expect(attachment.metadata.finalizers).toEqual([`external-attacher/${scene.rig.driverName.replaceAll('.', '-')}`]);
  await scene.capture('attached');

  await scene.delete(pods, 'writer');
  await seePodGone(scene, 'writer');
  await seeDetached(scene, volume.metadata.name);
  await scene.capture('detached');
  await scene.delete(persistentVolumeClaims, 'data');
  await seeVolumeGone(scene, volume.metadata.name);
  expectCalls(scene, volume.spec?.csi?.volumeHandle, [
    'CreateVolume OK',
    'ControllerPublishVolume OK',
    'ControllerUnpublishVolume OK',
    'DeleteVolume OK',
  ]);
});

scenario('a class for one zone', async (scene) => {
  const className = await scene.addClass({ name: 'zone-2', binding: 'Immediate', zones: ['zone-2'] });
  await scene.addClaim({ name: 'data', className });
  expect(zonesOf(await seeBound(scene, 'data'))).toEqual(['zone-2']);
  await scene.addPod({ name: 'anywhere', claim: 'data' });
  const pod = await seeRunning(scene, 'anywhere');
  expect(pod.spec?.nodeName).toBe('node-c');
  await scene.capture('attached');
});

scenario('a pod in one zone', async (scene) => {
  const className = await scene.addClass({ name: 'later', binding: 'WaitForFirstConsumer' });
  for (const { name, zone } of threeNodes) {
    await scene.addClaim({ name, className });
    await scene.addPod({ name, claim: name, labels: on(name) });
    const volume = await seeBound(scene, name);
    const pod = await seeRunning(scene, name);
    expect([pod.spec?.nodeName, zonesOf(volume)]).toEqual([name, [zone]]);
  }
  await scene.capture('attached');
});

scenario('a pod outside the zones of the class', async (scene) => {
  const className = await scene.addClass({ name: 'zone-2', binding: 'WaitForFirstConsumer', zones: ['zone-2'] });
  await scene.addClaim({ name: 'data', className });
  await scene.addPod({ name: 'elsewhere', claim: 'data', labels: on('node-a') });
  await seeEvent(scene, 'elsewhere', /^FailedScheduling: /);
  expect(scene.claim('data')?.status?.phase).toBe('Pending');
  expect(scene.claim('data')?.metadata.annotations ?? {}).not.toHaveProperty('volume.kubernetes.io/selected-node');
  await scene.capture('failed');
});

scenario('a parameter that the driver refuses', async (scene) => {
  const className = await scene.addClass({ name: 'odd', binding: 'Immediate', parameters: { colour: 'blue' } });
  await scene.addClaim({ name: 'data', className });
  await seeEvent(scene, 'data', /^ProvisioningFailed: .*InvalidArgument.*colour/s);
  expect(scene.claim('data')?.status?.phase).toBe('Pending');
  await scene.capture('failed');
});

scenario('retain, and a volume made by hand', async (scene) => {
  const className = await scene.addClass({ name: 'kept', binding: 'Immediate', reclaim: 'Retain', zones: ['zone-1'] });
  await scene.addClaim({ name: 'first', className });
  const volume = await seeBound(scene, 'first');
  const handle = volume.spec?.csi?.volumeHandle ?? '';
  await scene.addPod({ name: 'writer', claim: 'first', script: 'echo kept > /data/word' });
  await seeFile(scene, await seeRunning(scene, 'writer'), 'word', /^kept$/m);
  await scene.delete(pods, 'writer');
  await scene.delete(persistentVolumeClaims, 'first');
  await scene.world.until({
    what: `volume ${volume.metadata.name} to be Released`,
    look: () => {
      const phase = scene.volume(volume.metadata.name)?.status?.phase;
      return phase === 'Released' ? found(true) : notYet(`${phase}`);
    },
  });
  await seeDetached(scene, volume.metadata.name);
  await scene.capture('detached');
  await scene.delete(persistentVolumes, volume.metadata.name);
  await seeVolumeGone(scene, volume.metadata.name);
  expect(scene.callsOf(handle)).not.toContain('DeleteVolume OK');

  await scene.addVolume({ name: 'by-hand', volumeHandle: handle, reclaim: 'Retain', zone: 'zone-1', claim: 'second' });
  await scene.addClaim({ name: 'second', className: '', volumeName: 'by-hand' });
  await seeBound(scene, 'second');
  await scene.addPod({ name: 'reader', claim: 'second', script: 'cp /data/word /data/read' });
  await seeFile(scene, await seeRunning(scene, 'reader'), 'read', /^kept$/m);
  await scene.capture('attached');
  await scene.delete(pods, 'reader');
  await scene.delete(persistentVolumeClaims, 'second');
  await seeDetached(scene, 'by-hand');
  await scene.delete(persistentVolumes, 'by-hand');
  await seeVolumeGone(scene, 'by-hand');
  expect(scene.callsOf(handle)).not.toContain('DeleteVolume OK');

  // A volume made by hand goes with its claim when it says who provisioned it.
  await scene.addVolume({
    name: 'by-hand-to-delete',
    volumeHandle: handle,
    reclaim: 'Delete',
    zone: 'zone-1',
    annotations: { 'pv.kubernetes.io/provisioned-by': scene.rig.driverName },
    claim: 'third',
  });
  await scene.addClaim({ name: 'third', className: '', volumeName: 'by-hand-to-delete' });
  await seeBound(scene, 'third');
  await scene.delete(persistentVolumeClaims, 'third');
  await seeVolumeGone(scene, 'by-hand-to-delete');
  expectCalls(scene, handle, [
    'CreateVolume OK',
    'ControllerPublishVolume OK',
    'ControllerUnpublishVolume OK',
    'ControllerPublishVolume OK',
    'ControllerUnpublishVolume OK',
    'DeleteVolume OK',
  ]);
});

function zonesOf(volume: {
  spec?: { nodeAffinity?: { required?: { nodeSelectorTerms?: readonly Term[] } } };
}): string[] {
  const terms = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  return terms.flatMap((term) =>
    (term.matchExpressions ?? []).flatMap(({ key, values }) => (key === zoneKey ? (values ?? []) : [])),
  );
}

interface Term {
  readonly matchExpressions?: readonly { readonly key: string; readonly values?: readonly string[] }[];
}
