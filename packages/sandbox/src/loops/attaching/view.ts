import type { Node, PersistentVolume, Pod, VolumeAttachment } from '@holdfast/kube';
import type { Caches } from '../caches.ts';
import { claimKeysOfPod, isPodFinished } from '../pod-claims.ts';
import { type NodeView, type PresentAttachment, uniqueNameOfVolume, type WantedVolume } from './decide.ts';
import { attachmentName, uniqueVolumeName } from './names.ts';

// Attachments that somebody else made, under other names, are theirs to delete.
const ownName = /^csi-[0-9a-f]{64}$/;

/** What a look at the cluster alone does not tell. */
export interface AttachMemory {
  readonly maxWaitForUnmountMs: number;
  /** What a node that is gone had mounted; undefined when it was gone before we looked. */
  lastInUse(nodeName: string): readonly string[] | undefined;
  /** For how long the attachment has been unwanted, as seen from here. */
  unwantedMs(attachmentUid: string, isWanted: boolean): number;
}

/** What there is to know about one node, from the caches. */
export function viewNode(caches: Caches, nodeName: string, memory: AttachMemory): NodeView {
  const node = caches.nodes.get(nodeName);
  const wanted = wantedVolumes(caches, nodeName);
  const wantedNames = new Set(wanted.map(({ handle, driver }) => attachmentName(handle, driver, nodeName)));
  return {
    nodeName,
    node,
    volumesInUse: node === undefined ? memory.lastInUse(nodeName) : (node.status?.volumesInUse ?? []),
    wanted,
    maxWaitForUnmountMs: memory.maxWaitForUnmountMs,
    present: caches.attachments
      .byIndex('node', nodeName)
      .filter((attachment) => ownName.test(attachment.metadata.name))
      .map((attachment) => ({
        ...present(caches, attachment),
        unwantedMs: memory.unwantedMs(attachment.metadata.uid, wantedNames.has(attachment.metadata.name)),
      })),
  };
}

/** The volume a claim is bound to, once both sides say so. */
export function volumeOfClaim(caches: Caches, claimKey: string): PersistentVolume | undefined {
  const claim = caches.claims.get(claimKey);
  const volume = claim?.spec?.volumeName === undefined ? undefined : caches.volumes.get(claim.spec.volumeName);
  return volume?.spec?.claimRef?.uid === claim?.metadata.uid ? volume : undefined;
}

export function podsUsingVolume(caches: Caches, volume: PersistentVolume): readonly Pod[] {
  const ref = volume.spec?.claimRef;
  const pods = ref === undefined ? [] : caches.pods.byIndex('claim', `${ref.namespace ?? ''}/${ref.name ?? ''}`);
  return pods.filter(needsVolumes);
}

/** CSIDriver objects are optional, and attaching is what a driver does unless it says otherwise. */
export function isAttachRequired(caches: Caches, driver: string): boolean {
  return caches.csiDrivers.get(driver)?.spec?.attachRequired !== false;
}

function wantedVolumes(caches: Caches, nodeName: string): readonly WantedVolume[] {
  const podsByVolume = new Map<string, Pod[]>();
  for (const pod of caches.pods.byIndex('node', nodeName).filter(needsVolumes)) {
    for (const claimKey of claimKeysOfPod(pod)) {
      const volume = volumeOfClaim(caches, claimKey);
      if (volume !== undefined) {
        podsByVolume.set(volume.metadata.name, [...(podsByVolume.get(volume.metadata.name) ?? []), pod]);
      }
    }
  }
  return [...podsByVolume].flatMap(([name, pods]): WantedVolume[] => {
    const volume = caches.volumes.get(name);
    const csi = volume?.spec?.csi;
    if (volume === undefined || csi === undefined || !isAttachRequired(caches, csi.driver)) {
      return [];
    }
    return [
      {
        volume,
        driver: csi.driver,
        handle: csi.volumeHandle,
        pods,
        attachments: caches.attachments.byIndex('volume', name),
        podsElsewhere: podsUsingVolume(caches, volume).filter(
          (pod) => pod.spec?.nodeName !== undefined && pod.spec.nodeName !== nodeName,
        ),
      },
    ];
  });
}

function present(caches: Caches, attachment: VolumeAttachment): Omit<PresentAttachment, 'unwantedMs'> {
  const { source, nodeName } = attachment.spec;
  const volume = caches.volumes.get(source.persistentVolumeName ?? '');
  const uniqueName = uniqueNameOfVolume(volume) ?? nameKnownToNode(caches.nodes.get(nodeName), attachment);
  return { attachment, uniqueName };
}

/** When the volume's object was removed by force: the node still names the volume, and may still have it mounted. */
function nameKnownToNode(node: Node | undefined, { metadata, spec }: VolumeAttachment): string | undefined {
  const listed = [
    ...(node?.status?.volumesInUse ?? []),
    ...(node?.status?.volumesAttached ?? []).map(({ name }) => name),
  ];
  return listed.find((name) => {
    const prefix = uniqueVolumeName(spec.attacher, '');
    return (
      name.startsWith(prefix) &&
      attachmentName(name.slice(prefix.length), spec.attacher, spec.nodeName) === metadata.name
    );
  });
}

/** A pod keeps its volumes until kubelet says that it has ended; `volumesInUse` covers the time until they are unmounted. */
function needsVolumes(pod: Pod): boolean {
  return !isPodFinished(pod);
}
