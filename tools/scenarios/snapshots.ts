// What external-snapshotter does for a VolumeSnapshot: it is no part of what is tested here.
import { silentLogger } from '@holdfast/core';
import { ControllerService } from '@holdfast/csi-spec';
import { type VolumeSnapshot, volumeSnapshotContents, volumeSnapshots } from '@holdfast/kube';
import { dialUnix } from '@holdfast/rpc';
import type { Scene } from './scene.ts';

export interface TakenSnapshot {
  readonly name: string;
  /** Says in the API that it can be used. */
  finish(): Promise<void>;
}

// Of kinds that are not its own a real API server wants to be told what an object is.
const apiVersion = 'snapshot.storage.k8s.io/v1';

const timeoutMs = 60_000;

/** Takes a snapshot of a bound claim's volume, and writes its two objects, which do not say yet that it is ready. */
export async function takeSnapshot(scene: Scene, name: string, claimName: string): Promise<TakenSnapshot> {
  const { client, namespace, rig } = scene;
  const volume = scene.volume(scene.claim(claimName)?.spec?.volumeName ?? '');
  const sourceVolumeId = volume?.spec?.csi?.volumeHandle ?? '';
  const driver = await dialUnix({ address: rig.driverSocket, log: silentLogger });
  const calls = driver.client(ControllerService);
  scene.atEnd(async () => driver.close());
  const request = {
    sourceVolumeId,
    name: `${namespace}-${name}`,
    secrets: {},
    parameters: {},
    accessibilityRequirements: undefined,
  };
  const { snapshot } = await calls.createSnapshot(request, { timeoutMs });
  const { snapshotId = '', sizeBytes = 0n } = snapshot ?? {};
  scene.atEnd(() => calls.deleteSnapshot({ snapshotId, secrets: {} }, { timeoutMs }));
  const made: VolumeSnapshot = await scene.add(volumeSnapshots, {
    apiVersion,
    kind: 'VolumeSnapshot',
    metadata: { namespace, name },
    spec: { source: { persistentVolumeClaimName: claimName } },
  });
  const contentName = `${namespace}-${name}`;
  await scene.add(volumeSnapshotContents, {
    apiVersion,
    kind: 'VolumeSnapshotContent',
    metadata: { name: contentName },
    spec: {
      deletionPolicy: 'Delete',
      driver: rig.driverName,
      source: { volumeHandle: sourceVolumeId },
      sourceVolumeMode: volume?.spec?.volumeMode ?? 'Filesystem',
      volumeSnapshotRef: { namespace, name, uid: made.metadata.uid },
    },
  });
  return {
    name,
    async finish() {
      const ofContent = { readyToUse: true, restoreSize: Number(sizeBytes), snapshotHandle: snapshotId };
      await client.patch(
        volumeSnapshotContents,
        { name: contentName },
        { kind: 'merge', body: { status: ofContent } },
        { subresource: 'status' },
      );
      const status = {
        boundVolumeSnapshotContentName: contentName,
        readyToUse: true,
        restoreSize: String(sizeBytes),
      };
      await client.patch(
        volumeSnapshots,
        { namespace, name },
        { kind: 'merge', body: { status } },
        { subresource: 'status' },
      );
    },
  };
}
