import {
  isNotFound,
  type KubeClient,
  persistentVolumeClaims,
  persistentVolumes,
  referenceGrants,
  volumeSnapshotContents,
  volumeSnapshots,
} from '@holdfast/kube';
import type { SourceView } from './content-source.ts';
import type { SourceRef } from './source-ref.ts';

/** Reads a source from the API server itself: few claims have one, and a stale answer would lose its data. */
export async function readSource(client: KubeClient, ref: SourceRef, signal: AbortSignal): Promise<SourceView> {
  const { name, namespace } = ref;
  const grants = ref.isOtherNamespace ? (await client.list(referenceGrants, { namespace, signal })).items : [];
  if (ref.kind === 'VolumeSnapshot') {
    const snapshot = await ifFound(client.get(volumeSnapshots, { name, namespace }, { signal }));
    const contentName = snapshot?.status?.boundVolumeSnapshotContentName;
    const content = contentName
      ? await ifFound(client.get(volumeSnapshotContents, { name: contentName }, { signal }))
      : undefined;
    return { kind: 'snapshot', snapshot, content, grants };
  }
  const claim = await ifFound(client.get(persistentVolumeClaims, { name, namespace }, { signal }));
  const volumeName = claim?.spec?.volumeName;
  const volume = volumeName
    ? await ifFound(client.get(persistentVolumes, { name: volumeName }, { signal }))
    : undefined;
  return { kind: 'claim', claim, volume, grants };
}

async function ifFound<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
