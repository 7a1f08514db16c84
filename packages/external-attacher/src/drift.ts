import type { VolumeAttachment } from '@holdfast/kube';
import type { Caches } from './caches.ts';
import { registeredNodeId } from './decide.ts';
import { NODE_ID_ANNOTATION } from './names.ts';
import type { DriverTraits } from './traits.ts';
import { volumeSource } from './volume-source.ts';

/**
 * VolumeAttachments whose status differs from what the driver lists as published. Each is looked at again even if its
 * status says that all is done. A volume the driver lists beyond them is left alone: it may be published by other means.
 *
 * @param attachments those to compare: as they were before the driver was asked, so that one attached meanwhile is not
 *   mistaken for a difference (kubernetes-csi/external-attacher#291)
 */
export function findDrift(
  attachments: readonly VolumeAttachment[],
  published: ReadonlyMap<string, ReadonlySet<string>>,
  caches: Pick<Caches, 'attachments' | 'volumes' | 'csiNodes'>,
  traits: DriverTraits,
): string[] {
  return attachments
    .filter((attachment) => hasDrifted(attachment, published, caches, traits))
    .map(({ metadata }) => metadata.name);
}

function hasDrifted(
  attachment: VolumeAttachment,
  published: ReadonlyMap<string, ReadonlySet<string>>,
  caches: Pick<Caches, 'attachments' | 'volumes' | 'csiNodes'>,
  traits: DriverTraits,
): boolean {
  const { metadata, spec, status } = attachment;
  if (spec.attacher !== traits.driverName) return false;
  // Changed while the driver was asked: its own event is on the way.
  if (caches.attachments.get(metadata.name)?.metadata.resourceVersion !== metadata.resourceVersion) return false;
  const { persistentVolumeName } = spec.source;
  const volume = persistentVolumeName === undefined ? undefined : caches.volumes.get(persistentVolumeName);
  const source = volumeSource(attachment, volume, traits);
  if (source.kind === 'unusable') return false;
  const csiNode = caches.csiNodes.get(spec.nodeName);
  const nodeId = (csiNode && registeredNodeId(csiNode, traits)) ?? metadata.annotations?.[NODE_ID_ANNOTATION];
  if (!nodeId) return false;
  const isPublished = published.get(source.csi.volumeHandle)?.has(nodeId) ?? false;
  return isPublished !== (status?.attached ?? false);
}
