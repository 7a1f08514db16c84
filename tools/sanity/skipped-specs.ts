// Which capability a driver lacks when csi-sanity skips a spec. Pure.
import type { SpecResult } from './junit-report.ts';

const capabilityByReason: Readonly<Record<string, string>> = {
  'GroupControllerService not supported': 'plugin GROUP_CONTROLLER_SERVICE',
  'SNAPSHOT_ACCESSIBILITY_CONSTRAINTS not supported': 'plugin SNAPSHOT_ACCESSIBILITY_CONSTRAINTS',
  'VolumeGroupSnapshots not supported': 'group controller CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT',
  'Controller Publish, UnpublishVolume not supported': 'controller PUBLISH_UNPUBLISH_VOLUME',
  'ControllerPublishVolume not supported': 'controller PUBLISH_UNPUBLISH_VOLUME',
  'ControllerUnpublishVolume not supported': 'controller PUBLISH_UNPUBLISH_VOLUME',
  'ControllerExpandVolume not supported': 'controller EXPAND_VOLUME',
  'GetCapacity not supported': 'controller GET_CAPACITY',
  'ListVolumes not supported': 'controller LIST_VOLUMES',
  'Snapshot not supported': 'controller CREATE_DELETE_SNAPSHOT',
  'CreateSnapshot not supported': 'controller CREATE_DELETE_SNAPSHOT',
  'DeleteSnapshot not supported': 'controller CREATE_DELETE_SNAPSHOT',
  'ListSnapshots not supported': 'controller LIST_SNAPSHOTS',
  'GetSnapshot not supported': 'controller GET_SNAPSHOT',
  'Volume Cloning not supported': 'controller CLONE_VOLUME',
  'Modify volume not supported': 'controller MODIFY_VOLUME',
  'Modify Volume not supported': 'controller MODIFY_VOLUME',
  'ControllerModifyVolume not supported': 'controller MODIFY_VOLUME',
  'ControllerGetVolumeHealth not supported': 'controller GET_VOLUME_HEALTH',
  'ControllerListVolumeHealth not supported': 'controller LIST_VOLUME_HEALTH',
  'NodeStageVolume not supported': 'node STAGE_UNSTAGE_VOLUME',
  'NodeUnstageVolume not supported': 'node STAGE_UNSTAGE_VOLUME',
  'NodeExpandVolume not supported': 'node EXPAND_VOLUME',
  'NodeGetVolume not supported': 'node GET_VOLUME_STATS',
  'Service does not have single node multi writer capability': 'node SINGLE_NODE_MULTI_WRITER',
  'NodeGetVolumeHealth not supported': 'node GET_VOLUME_HEALTH',
  'NodeGetStorageHealth not supported': 'node GET_STORAGE_HEALTH',
};

export interface Skipped {
  /** The names of the specs, by the capability that the driver does not advertise, sorted: ginkgo shuffles them. */
  readonly byCapability: ReadonlyMap<string, readonly string[]>;
  /**
   * Skipped for another reason, such as a volume without a size, or for a capability that the backend is known to have. Nobody agreed
   * to do without these, so they count as failed.
   */
  readonly unexplained: readonly { readonly name: string; readonly reason: string }[];
}

/** @param required capabilities whose specs may not be skipped. */
export function sortSkipped(results: readonly SpecResult[], required: readonly string[] | 'all'): Skipped {
  const byCapability = new Map<string, string[]>();
  const unexplained: { name: string; reason: string }[] = [];
  for (const result of results) {
    if (result.kind !== 'skipped') continue;
    const { name, reason } = result;
    const capability = capabilityByReason[reason];
    if (capability === undefined || required === 'all' || required.includes(capability)) {
      unexplained.push({ name, reason });
      continue;
    }
    const names = byCapability.get(capability) ?? [];
    names.push(name);
    byCapability.set(capability, names);
  }
  const sorted = [...byCapability]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, names]) => [name, names.toSorted()] as const);
  return { byCapability: new Map(sorted), unexplained };
}
