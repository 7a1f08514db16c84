import {
  type CreateVolumeGroupSnapshotRequest,
  type GroupControllerService,
  GroupControllerServiceCapability_RPC_Type,
  type VolumeGroupSnapshot,
} from '@holdfast/csi-spec';
import { type Handlers, rpcError } from '@holdfast/rpc';
import type { Backend, GroupSnapshot } from './backend.ts';
import { canSnapshotGroups, groupCapabilitiesOf } from './capabilities.ts';
import { checkId, checkName } from './check-text.ts';
import { decideExistingGroup } from './decide.ts';
import { groupKey, snapshotKey, type VolumeLocks, volumeKey } from './locks.ts';
import { checkSnapshotParameters, snapshotMessage, timestamp } from './snapshot-message.ts';
import { volumeIdFor } from './volume-id.ts';
import { mustProceed, requireVolume } from './volume-message.ts';

/** Snapshots of several volumes, cut at one instant. */
export function createGroupHandlers(deps: { backend: Backend; locks: VolumeLocks }): Handlers<GroupControllerService> {
  const { backend, locks } = deps;
  const { createGroupSnapshot, deleteGroupSnapshot, findGroupSnapshot } = backend;
  const groupControllerGetCapabilities = async () => ({
    capabilities: groupCapabilitiesOf(backend).map((name) => ({
      type: { $case: 'rpc' as const, value: { type: GroupControllerServiceCapability_RPC_Type[name] } },
    })),
  });
  if (!canSnapshotGroups(backend) || createGroupSnapshot === undefined || findGroupSnapshot === undefined) {
    return { groupControllerGetCapabilities };
  }

  async function create(
    request: CreateVolumeGroupSnapshotRequest,
    id: string,
    members: readonly { id: string; name: string; volumeId: string }[],
  ): Promise<GroupSnapshot> {
    const existing = await findGroupSnapshot?.(id);
    if (existing !== undefined) {
      const volumeIds = members.map((member) => member.volumeId);
      mustProceed(decideExistingGroup(existing, volumeIds));
      return existing;
    }
    const parameters = checkSnapshotParameters(backend, request.parameters);
    const sources = await Promise.all(
      members.map(async ({ volumeId, ...member }) => ({ ...member, source: await requireVolume(backend, volumeId) })),
    );
    const { name, secrets } = request;
    const made = await createGroupSnapshot?.({ id, name, members: sources, parameters, secrets });
    if (made === undefined) throw rpcError('Unimplemented', 'group snapshots are not made here');
    return made;
  }

  return {
    groupControllerGetCapabilities,
    createVolumeGroupSnapshot: async (request) => {
      checkName('name', request.name);
      const volumeIds = [...new Set(request.sourceVolumeIds)];
      if (volumeIds.length === 0) throw rpcError('InvalidArgument', 'source_volume_ids is required');
      for (const volumeId of volumeIds) checkId('source_volume_ids', volumeId);
      checkSnapshotParameters(backend, request.parameters);
      const id = volumeIdFor(request.name);
      const members = volumeIds.map((volumeId) => {
        // No snapshot that is asked for alone is called so: an id has no blanks.
        const name = `${id} ${volumeId}`;
        return { id: volumeIdFor(name), name, volumeId };
      });
      const keys = [groupKey(id), ...members.flatMap((one) => [snapshotKey(one.id), volumeKey(one.volumeId)])];
      return { groupSnapshot: groupMessage(await locks.exclusive(keys, () => create(request, id, members))) };
    },
    deleteVolumeGroupSnapshot: async ({ groupSnapshotId: id, snapshotIds }) => {
      checkId('group_snapshot_id', id);
      await locks.exclusive([groupKey(id)], async () => {
        const group = await findGroupSnapshot(id);
        if (group !== undefined) checkMembers(group, snapshotIds);
        const keys = group?.snapshots.map((snapshot) => snapshotKey(snapshot.id)) ?? [];
        // Also when it is not found: a crash may have left parts that only the backend knows of.
        await locks.exclusive(keys, async () => deleteGroupSnapshot?.(id));
      });
      return {};
    },
    getVolumeGroupSnapshot: async ({ groupSnapshotId: id, snapshotIds }) => {
      checkId('group_snapshot_id', id);
      const group = await findGroupSnapshot(id);
      if (group === undefined) throw rpcError('NotFound', `group snapshot ${id} does not exist`);
      checkMembers(group, snapshotIds);
      return { groupSnapshot: groupMessage(group) };
    },
  };
}

/** CSI spec "DeleteVolumeGroupSnapshot Errors": a list that is not the group's is a wrong argument. None at all is no list. */
function checkMembers(group: GroupSnapshot, asked: readonly string[]): void {
  if (asked.length === 0) return;
  const members = group.snapshots.map((snapshot) => snapshot.id);
  if (asked.length === members.length && members.every((member) => asked.includes(member))) return;
  throw rpcError('InvalidArgument', `snapshot_ids are not those of group ${group.id}: ${members.join(', ')}`);
}

function groupMessage(group: GroupSnapshot): VolumeGroupSnapshot {
  return {
    groupSnapshotId: group.id,
    snapshots: group.snapshots.map(snapshotMessage),
    creationTime: timestamp(group.createdMs),
    readyToUse: group.isReady,
  };
}
