import type { VolumeAttachment } from '@holdfast/kube';
import { registeredNodeId } from './decide.ts';
import type { DriverTraits } from './driver-traits.ts';
import { annotations } from './names.ts';
import type { Stores } from './stores.ts';
import { volumeSource } from './volume-source.ts';

/**
 * VolumeAttachments whose status differs from what the driver lists as published. Each is looked at again even if its
 * status says that all is done. A volume the driver lists beyond them is left alone: it may be published by other
 * means.
 *
 * @param attachments those to compare: as they were before the driver was asked, so that one attached meanwhile is not
 *   mistaken for a difference (kubernetes-csi/external-attacher#291)
 */
export function findDrift(
  attachments: readonly VolumeAttachment[],
  published: ReadonlyMap<string, ReadonlySet<string>>,
  stores: Stores,
  driver: DriverTraits,
): string[] {
  return attachments
    .filter((attachment) => hasDrifted(attachment, published, stores, driver))
    .map(({ metadata }) => metadata.name);
}

function hasDrifted(
  attachment: VolumeAttachment,
  published: ReadonlyMap<string, ReadonlySet<string>>,
  stores: Stores,
  driver: DriverTraits,
): boolean {
  const { metadata, spec, status } = attachment;
  if (spec.attacher !== driver.driverName) return false;
  // Changed while the driver was asked: its own event is on the way.
  if (stores.attachments.get(metadata.name)?.metadata.resourceVersion !== metadata.resourceVersion) return false;
  const { persistentVolumeName } = spec.source;
  const volume = persistentVolumeName === undefined ? undefined : stores.volumes.get(persistentVolumeName);
  const source = volumeSource(attachment, volume, driver);
  if (source.kind === 'unusable') return false;
  const csiNode = stores.csiNodes.get(spec.nodeName);
  const nodeId = (csiNode && registeredNodeId(csiNode, driver)) ?? metadata.annotations?.[annotations.nodeId];
  if (!nodeId) return false;
  const isPublished = published.get(source.csi.volumeHandle)?.has(nodeId) ?? false;
  return isPublished !== (status?.attached ?? false);
}
