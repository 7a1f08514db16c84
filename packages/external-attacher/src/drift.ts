import type { VolumeAttachment } from '@holdfast/kube';
import { type InTreePlugin, MigrationError, repairVolumeHandle } from '@holdfast/migration';
import { registeredNodeId } from './decide.ts';
import { detachTarget } from './detach-target.ts';
import type { DriverTraits } from './driver-traits.ts';
import { annotations } from './names.ts';
import type { Stores } from './stores.ts';

export interface Drift {
  /** Attached by their status, and not listed: to be published again. */
  readonly lost: readonly string[];
  /** Not attached yet, and listed, or going and not listed any more: what they wait for seems to be done. */
  readonly unfinished: readonly string[];
}

/**
 * VolumeAttachments whose status differs from what the driver lists as published. A volume the driver lists beyond them
 * is left alone: it may be published by other means.
 *
 * @param attachments those to compare: as they were before the driver was asked, so that one attached meanwhile is not
 *   mistaken for a difference (kubernetes-csi/external-attacher#291)
 */
export function findDrift(
  attachments: readonly VolumeAttachment[],
  published: ReadonlyMap<string, ReadonlySet<string>>,
  stores: Stores,
  driver: DriverTraits,
): Drift {
  const lost: string[] = [];
  const unfinished: string[] = [];
  for (const attachment of attachments) {
    if (!hasDrifted(attachment, published, stores, driver)) continue;
    const { name, deletionTimestamp } = attachment.metadata;
    const isLost = attachment.status?.attached === true && deletionTimestamp === undefined;
    (isLost ? lost : unfinished).push(name);
  }
  return { lost, unfinished };
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
  const target = detachTarget(attachment, volume, driver);
  if (target.kind === 'unknown') return false;
  const csiNode = stores.csiNodes.get(spec.nodeName);
  const nodeId = (csiNode && registeredNodeId(csiNode, driver)) ?? metadata.annotations?.[annotations.nodeId];
  if (!nodeId) return false;
  const listed = listedAs(target.volumeId, nodeId, driver.plugin);
  if (listed === undefined) return false;
  const isPublished = published.get(listed)?.has(nodeId) ?? false;
  return isPublished !== (status?.attached ?? false);
}

/** What a translation leaves open in a handle, the driver fills in; undefined where it cannot be told. */
function listedAs(volumeId: string, nodeId: string, plugin: InTreePlugin | undefined): string | undefined {
  if (plugin === undefined) return volumeId;
  try {
    return repairVolumeHandle(plugin, volumeId, nodeId);
  } catch (error) {
    if (error instanceof MigrationError) return undefined;
    throw error;
  }
}
