import type {
  ControllerCapability,
  GroupControllerCapability,
  NodeCapability,
  PluginCapabilityName,
} from '@holdfast/csi-spec';
import type { Backend } from './backend.ts';

export type Role = 'controller' | 'node' | 'all';

/** What is advertised follows from what the backend implements, never from a list kept beside it. */
export function pluginCapabilitiesOf(backend: Backend, role: Role): PluginCapabilityName[] {
  return chosen<PluginCapabilityName>([
    ['CONTROLLER_SERVICE', role !== 'node'],
    ['VOLUME_ACCESSIBILITY_CONSTRAINTS', backend.topology !== undefined],
    ['GROUP_CONTROLLER_SERVICE', role !== 'node' && canSnapshotGroups(backend)],
    ['SNAPSHOT_METADATA_SERVICE', role !== 'node' && canTellBlocks(backend)],
    ['SNAPSHOT_ACCESSIBILITY_CONSTRAINTS', backend.topology !== undefined && canSnapshot(backend)],
    ['EXPANSION_ONLINE', backend.expandVolume !== undefined || backend.expandOnNode !== undefined],
  ]);
}

export function controllerCapabilitiesOf(backend: Backend): ControllerCapability[] {
  const canList = backend.listVolumes !== undefined;
  const canAttach = canAttachVolumes(backend);
  return chosen<ControllerCapability>([
    ['CREATE_DELETE_VOLUME', canCreateVolumes(backend)],
    ['PUBLISH_UNPUBLISH_VOLUME', canAttach],
    ['PUBLISH_READONLY', canAttach],
    ['LIST_VOLUMES', canList],
    ['LIST_VOLUMES_PUBLISHED_NODES', canList && canAttach],
    ['GET_VOLUME', true],
    ['GET_CAPACITY', backend.availableBytes !== undefined],
    ['EXPAND_VOLUME', backend.expandVolume !== undefined],
    ['MODIFY_VOLUME', canModifyVolumes(backend)],
    ['CREATE_DELETE_SNAPSHOT', canSnapshot(backend)],
    ['LIST_SNAPSHOTS', canSnapshot(backend) && backend.listSnapshots !== undefined],
    ['GET_SNAPSHOT', canSnapshot(backend)],
    ['CLONE_VOLUME', canCreateVolumes(backend) && backend.cloneVolume !== undefined],
    ['GET_VOLUME_HEALTH', backend.volumeHealth !== undefined],
    ['LIST_VOLUME_HEALTH', canList && backend.volumeHealth !== undefined],
    ['SINGLE_NODE_MULTI_WRITER', hasSingleNodeMultiWriter(backend)],
  ]);
}

export function nodeCapabilitiesOf(backend: Backend): NodeCapability[] {
  return chosen<NodeCapability>([
    ['STAGE_UNSTAGE_VOLUME', canStageVolumes(backend)],
    ['GET_VOLUME_STATS', backend.volumeStats !== undefined],
    ['EXPAND_VOLUME', backend.expandOnNode !== undefined],
    ['VOLUME_MOUNT_GROUP', backend.applyMountGroup !== undefined],
    ['GET_VOLUME_HEALTH', backend.volumeHealthOnNode !== undefined],
    ['GET_STORAGE_HEALTH', backend.storageHealth !== undefined],
    ['SINGLE_NODE_MULTI_WRITER', hasSingleNodeMultiWriter(backend)],
  ]);
}

export function groupCapabilitiesOf(backend: Backend): GroupControllerCapability[] {
  return chosen<GroupControllerCapability>([['CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT', canSnapshotGroups(backend)]]);
}

export function canSnapshot(backend: Backend): boolean {
  return (
    backend.createSnapshot !== undefined && backend.deleteSnapshot !== undefined && backend.findSnapshot !== undefined
  );
}

// A member of a group is looked up, listed and restored as any snapshot is.
export function canSnapshotGroups(backend: Backend): boolean {
  return (
    canSnapshot(backend) &&
    backend.createGroupSnapshot !== undefined &&
    backend.deleteGroupSnapshot !== undefined &&
    backend.findGroupSnapshot !== undefined
  );
}

export function canTellBlocks(backend: Backend): boolean {
  return canSnapshot(backend) && backend.snapshotBlocks !== undefined;
}

export function canModifyVolumes(backend: Backend): boolean {
  return backend.modifyVolume !== undefined && backend.mutableParameters !== undefined;
}

export function canCreateVolumes(backend: Backend): boolean {
  return backend.createVolume !== undefined && backend.deleteVolume !== undefined && backend.sizeRules !== undefined;
}

export function canAttachVolumes(backend: Backend): boolean {
  return backend.attachVolume !== undefined && backend.detachVolume !== undefined && backend.findNode !== undefined;
}

export function canStageVolumes(backend: Backend): boolean {
  return backend.stageVolume !== undefined && backend.unstageVolume !== undefined;
}

function hasSingleNodeMultiWriter(backend: Backend): boolean {
  return (
    backend.accessModes.includes('SINGLE_NODE_SINGLE_WRITER') &&
    backend.accessModes.includes('SINGLE_NODE_MULTI_WRITER')
  );
}

function chosen<Name>(table: readonly (readonly [Name, boolean])[]): Name[] {
  return table.flatMap(([name, isOffered]) => (isOffered ? [name] : []));
}
