// Claims that are filled from something, and claims that name a VolumeAttributesClass from the start.
import { type VolumeSnapshot, volumeSnapshotContents, volumeSnapshots } from '@holdfast/kube';
import type { Case, CaseStage } from '../case.ts';
import { driverName } from '../driver-name.ts';
import { attributesClass, claim, deleteBoth, storageClass, untilBound } from './objects.ts';

const about = 'provisioner';
const apiVersion = 'snapshot.storage.k8s.io/v1';
const gibibyte = 2 ** 30;

/** As external-snapshotter leaves it: bound, ready, of one gibibyte. @returns what takes it away again */
async function addSnapshot(stage: CaseStage, name: string): Promise<() => Promise<void>> {
  const { client, namespace } = stage;
  const made: VolumeSnapshot = await client.create(volumeSnapshots, {
    apiVersion,
    kind: 'VolumeSnapshot',
    metadata: { namespace, name },
    spec: { source: { persistentVolumeClaimName: 'gone' } },
  });
  // Contents belong to no namespace.
  const content = { name: `content-of-${namespace}` };
  await client.create(volumeSnapshotContents, {
    apiVersion,
    kind: 'VolumeSnapshotContent',
    metadata: content,
    spec: {
      deletionPolicy: 'Delete',
      driver: driverName,
      source: { snapshotHandle: 'snap-1' },
      sourceVolumeMode: 'Filesystem',
      volumeSnapshotRef: { namespace, name, uid: made.metadata.uid },
    },
  });
  const ofContent = { snapshotHandle: 'snap-1', readyToUse: true, restoreSize: gibibyte };
  const options = { subresource: 'status' } as const;
  await client.patch(volumeSnapshotContents, content, { kind: 'merge', body: { status: ofContent } }, options);
  const status = { boundVolumeSnapshotContentName: content.name, readyToUse: true, restoreSize: '1Gi' };
  await client.patch(volumeSnapshots, { namespace, name }, { kind: 'merge', body: { status } }, options);
  return async () => {
    await client.delete(volumeSnapshots, { namespace, name });
    await client.delete(volumeSnapshotContents, content);
  };
}

/** No finalizer of ours is on it any more. */
function untilReleased(stage: CaseStage, name: string): Promise<true> {
  return stage.until(`snapshot ${name} released`, async () => {
    const found = await stage.look(volumeSnapshots, { namespace: stage.namespace, name });
    return (found?.metadata.finalizers ?? []).length === 0 ? true : undefined;
  });
}

export const sourceCases: readonly Case[] = [
  {
    name: 'a volume from a snapshot',
    about,
    isShort: true,
    async play(stage) {
      const remove = await addSnapshot(stage, 'yesterday');
      const dataSourceRef = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'yesterday' };
      await stage.apply(storageClass('restoring') + claim('data', { className: 'restoring', spec: { dataSourceRef } }));
      await untilBound(stage, 'data');
      await untilReleased(stage, 'yesterday');
      await stage.record('bound');
      await deleteBoth(stage, 'data');
      await remove();
    },
  },
  {
    name: 'a clone of a claim',
    about,
    isShort: true,
    async play(stage) {
      await stage.apply(storageClass('cloning') + claim('original', { className: 'cloning' }));
      await untilBound(stage, 'original');
      const dataSource = { kind: 'PersistentVolumeClaim', name: 'original' };
      await stage.apply(claim('clone', { className: 'cloning', spec: { dataSource } }));
      await untilBound(stage, 'clone');
      await stage.record('bound');
      // It has a finalizer, which nothing needs any more.
      await deleteBoth(stage, 'original');
      await stage.record('without the original');
      await deleteBoth(stage, 'clone');
    },
  },
  {
    name: 'attributes of a new volume',
    about,
    isShort: true,
    async play(stage) {
      const spec = { volumeAttributesClassName: 'gold' };
      await stage.apply(storageClass('tuned') + attributesClass('gold', '9000'));
      await stage.apply(claim('data', { className: 'tuned', spec }));
      await untilBound(stage, 'data');
      await stage.record('bound');
      await deleteBoth(stage, 'data');
    },
  },
];
