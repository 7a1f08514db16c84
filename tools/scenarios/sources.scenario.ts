import { persistentVolumeClaims, pods, referenceGrants, volumeSnapshots } from '@holdfast/kube';
import { expect } from 'vitest';
import { expectCalls } from './expect-calls.ts';
import { seeBound, seeDetached, seeEvent, seeFile, seePodGone, seeRunning, seeVolumeGone } from './expectations.ts';
import { inCluster } from './left-behind.ts';
import { oneNode } from './nodes.ts';
import { scenariosOn } from './on-rig.ts';
import { openScene, removeNamespace, type Scene } from './scene.ts';
import { makers } from './settings.ts';
import { takeSnapshot } from './snapshots.ts';
import { found, notYet } from './world.ts';

const scenario = scenariosOn({
  backend: 'disk',
  nodes: oneNode,
  sidecarArgs: {
    provisioner: [
      '--feature-gates=CrossNamespaceVolumeDataSource=true',
      '--retry-interval-start=200ms',
      '--retry-interval-max=2s',
    ],
  },
});
const snapshotKind = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot' };
const cloningProtection = 'provisioner.storage.kubernetes.io/cloning-protection';
const snapshotProtection = 'provisioner.storage.kubernetes.io/volumesnapshot-as-source-protection';

scenario('a volume from a snapshot', async (scene) => {
  const className = await scene.addClass({ name: 'now', binding: 'Immediate' });
  await fillClaim(scene, className, 'original');
  const snapshot = await takeSnapshot(scene, 'yesterday', 'original');
  await scene.addClaim({ name: 'restored', className, source: { ...snapshotKind, name: snapshot.name } });
  await seeEvent(scene, 'restored', /^ProvisioningFailed: /);
  expect(scene.claim('restored')?.status?.phase).toBe('Pending');
  await snapshot.finish();
  const volume = await seeBound(scene, 'restored');
  await seeSnapshotReleased(scene, snapshot.name);
  await scene.capture('bound');

  await seeKept(scene, 'restored');
  await scene.delete(pods, 'reader');
  await scene.delete(persistentVolumeClaims, 'restored');
  await seeVolumeGone(scene, volume.metadata.name);
  expectCalls(scene, volume.spec?.csi?.volumeHandle, [
    'CreateVolume OK',
    'ControllerPublishVolume OK',
    'ControllerUnpublishVolume OK',
    'DeleteVolume OK',
  ]);
});

scenario('a clone of a claim', async (scene) => {
  const className = await scene.addClass({ name: 'now', binding: 'Immediate' });
  await fillClaim(scene, className, 'original');
  await scene.addClaim({ name: 'clone', className, source: { kind: 'PersistentVolumeClaim', name: 'original' } });
  const volume = await seeBound(scene, 'clone');
  expect(scene.claim('original')?.metadata.finalizers).toContain(cloningProtection);
  await scene.capture('bound');

  // Nothing is cloned from it any more, so it may go.
  await scene.delete(persistentVolumeClaims, 'original');
  await seeClaimGone(scene, 'original');
  await seeKept(scene, 'clone');
  expectCalls(scene, volume.spec?.csi?.volumeHandle, ['CreateVolume OK', 'ControllerPublishVolume OK']);
});

scenario('a source in another namespace', async (scene) => {
  const { rig, world, namespace } = scene;
  const className = await scene.addClass({ name: 'now', binding: 'Immediate' });
  const other = await openScene({ name: 'another namespace', rig, world });
  await fillClaim(other, className, 'original');
  const snapshot = await takeSnapshot(other, 'shared', 'original');
  await snapshot.finish();
  const source = { ...snapshotKind, name: snapshot.name, namespace: other.namespace };
  await scene.addClaim({ name: 'restored', className, source });
  await seeEvent(scene, 'restored', /^ProvisioningFailed: .*(?:ReferenceGrant|accessing)/s);
  await scene.capture('failed');
  await other.add(referenceGrants, {
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'ReferenceGrant',
    metadata: { namespace: other.namespace, name: 'share' },
    spec: {
      from: [{ group: '', kind: 'PersistentVolumeClaim', namespace }],
      to: [{ group: snapshotKind.apiGroup, kind: snapshotKind.kind, name: snapshot.name }],
    },
  });
  await seeBound(scene, 'restored');
  await scene.capture('bound');
  await seeKept(scene, 'restored');
  if (makers.provisioner === 'ours') await seeSnapshotReleased(other, snapshot.name);
  else await releaseSnapshot(other, snapshot.name);
  await other.removeAll();
  await world.until({
    what: 'nothing left of the other namespace',
    look: () => {
      const left = inCluster(world, other.namespace);
      return left.length === 0 ? found(true) : notYet(left.join('; '));
    },
  });
  await removeNamespace(other);
});

scenario('a claim that somebody else fills', async (scene) => {
  const className = await scene.addClass({ name: 'now', binding: 'Immediate' });
  const source = { apiGroup: 'populators.holdfast.test', kind: 'Template', name: 'rows' };
  await scene.addClaim({ name: 'data', className, source });
  await seeEvent(scene, 'data', /^Provisioning: .*populat/s);
  await scene.world.untilQuiet();
  expect(scene.claim('data')?.status?.phase).toBe('Pending');
  expect(scene.calls()).toEqual([]);
  await scene.capture('failed');
});

/** A claim whose volume has a file, and is used by nobody. */
async function fillClaim(scene: Scene, className: string, name: string): Promise<void> {
  await scene.addClaim({ name, className });
  await scene.addPod({ name: 'writer', claim: name, script: 'echo kept > /data/word' });
  const volume = await seeBound(scene, name);
  await seeFile(scene, await seeRunning(scene, 'writer'), 'word', /^kept$/m);
  await scene.delete(pods, 'writer');
  await seePodGone(scene, 'writer');
  await seeDetached(scene, volume.metadata.name);
}

async function seeKept(scene: Scene, claim: string): Promise<void> {
  await scene.addPod({ name: 'reader', claim, script: 'cp /data/word /data/read' });
  await seeFile(scene, await seeRunning(scene, 'reader'), 'read', /^kept$/m);
}

/** No volume is being made from it any more. */
async function seeSnapshotReleased({ client, namespace, world }: Scene, name: string): Promise<void> {
  await world.until({
    what: `snapshot ${name} without the finalizer that holds it`,
    look: async () => {
      const { metadata } = await client.get(volumeSnapshots, { namespace, name });
      const finalizers = metadata.finalizers ?? [];
      return finalizers.includes(snapshotProtection) ? notYet(finalizers.join(', ')) : found(true);
    },
  });
}

/** The Go provisioner looks for the snapshot in the claim's namespace, and lets go of it in a sweep five minutes later. */
async function releaseSnapshot({ client, namespace }: Scene, name: string): Promise<void> {
  const body = { metadata: { finalizers: null } };
  await client.patch(volumeSnapshots, { namespace, name }, { kind: 'merge', body });
}

async function seeClaimGone(scene: Scene, name: string): Promise<void> {
  await scene.world.until({
    what: `claim ${name} to be gone`,
    look: () => {
      const claim = scene.claim(name);
      return claim === undefined ? found(true) : notYet(`finalizers ${claim.metadata.finalizers?.join(', ')}`);
    },
  });
}
