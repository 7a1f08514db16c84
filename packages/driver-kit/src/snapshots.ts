import type {
  ControllerService,
  CreateSnapshotRequest,
  ListSnapshotsRequest,
  Snapshot as SnapshotMessage,
} from '@holdfast/csi-spec';
import { type Handlers, rpcError } from '@holdfast/rpc';
import type { Backend, Snapshot } from './backend.ts';
import { canSnapshot } from './capabilities.ts';
import { checkId, checkName, isPossibleId } from './check-text.ts';
import { decideExistingSnapshot } from './decide.ts';
import { snapshotKey, type VolumeLocks, volumeKey } from './locks.ts';
import { readPage } from './page.ts';
import { checkSnapshotParameters, snapshotMessage } from './snapshot-message.ts';
import { fits, meetsRequirement } from './topology.ts';
import { volumeIdFor } from './volume-id.ts';
import { mustProceed, requireVolume } from './volume-message.ts';

export function snapshotHandlers(deps: { backend: Backend; locks: VolumeLocks }): Handlers<ControllerService> {
  const { backend, locks } = deps;
  const { createSnapshot, deleteSnapshot, findSnapshot, listSnapshots } = backend;
  if (!canSnapshot(backend) || createSnapshot === undefined || findSnapshot === undefined) return {};

  async function create(request: CreateSnapshotRequest, id: string): Promise<Snapshot> {
    const { name, sourceVolumeId, secrets, accessibilityRequirements: requirement } = request;
    // The snapshot first: asked for again, it is the answer even when its source is gone by now.
    const existing = await findSnapshot?.(id);
    if (existing !== undefined) {
      mustProceed(decideExistingSnapshot(existing, sourceVolumeId));
      return existing;
    }
    const source = await requireVolume(backend, sourceVolumeId);
    if (!meetsRequirement(source.topology, requirement)) {
      throw rpcError(
        'ResourceExhausted',
        `volume ${source.id} does not lie in the topology that is asked for, and its snapshots lie where it does`,
      );
    }
    const parameters = checkSnapshotParameters(backend, request.parameters);
    const made = await createSnapshot?.({ id, name, source, parameters, secrets });
    if (made === undefined) throw rpcError('Unimplemented', 'snapshots are not made here');
    return made;
  }

  return {
    createSnapshot: async (request) => {
      checkName('name', request.name);
      checkId('source_volume_id', request.sourceVolumeId);
      checkSnapshotParameters(backend, request.parameters);
      const id = volumeIdFor(request.name);
      const keys = [snapshotKey(id), volumeKey(request.sourceVolumeId)];
      const snapshot = snapshotMessage(await locks.exclusive(keys, () => create(request, id)));
      return { snapshot: isPlacedAsAsked(snapshot, request) ? { ...snapshot, accessibleTopology: [] } : snapshot };
    },
    deleteSnapshot: async ({ snapshotId: id }) => {
      checkId('snapshot_id', id);
      await locks.exclusive([snapshotKey(id)], async () => {
        const groupId = (await findSnapshot(id))?.groupId ?? '';
        if (groupId !== '') {
          throw rpcError(
            'InvalidArgument',
            `snapshot ${id} is part of group ${groupId} and goes with it: DeleteVolumeGroupSnapshot`,
          );
        }
        // Also when it is not found: a crash may have left parts that only the backend knows of.
        await deleteSnapshot?.(id);
      });
      return {};
    },
    getSnapshot: async ({ snapshotId: id }) => {
      checkId('snapshot_id', id);
      const snapshot = await findSnapshot(id);
      if (snapshot === undefined) throw rpcError('NotFound', `snapshot ${id} does not exist`);
      return { snapshot: snapshotMessage(snapshot) };
    },
    ...(listSnapshots === undefined ? {} : { listSnapshots: (request) => list(backend, request) }),
  };
}

/**
 * accessible_topology is optional in the answer, and tells nothing to a caller that named one place and got it. csi-sanity v5.6 refuses it
 * there whatever it says: it compares a message that was received with one that was sent by their memory, sizeCache included.
 */
function isPlacedAsAsked(snapshot: SnapshotMessage, request: CreateSnapshotRequest): boolean {
  const [asked, ...others] = request.accessibilityRequirements?.requisite ?? [];
  const [has, ...more] = snapshot.accessibleTopology;
  if (asked === undefined || has === undefined || others.length > 0 || more.length > 0) return false;
  return fits(has.segments, asked.segments) && fits(asked.segments, has.segments);
}

async function list(backend: Backend, request: ListSnapshotsRequest) {
  const { snapshotId, sourceVolumeId } = request;
  const { page, nextToken } = await readPage(request, async ({ after, limit }) => {
    // A filter for what cannot be is no error, CSI spec "ListSnapshots Errors": it finds nothing.
    if ([snapshotId, sourceVolumeId].some((id) => id !== '' && !isPossibleId(id))) return [];
    if (snapshotId === '') {
      const filter = sourceVolumeId === '' ? {} : { sourceVolumeId };
      return (await backend.listSnapshots?.({ after, limit, ...filter })) ?? [];
    }
    const snapshot = snapshotId > after ? await backend.findSnapshot?.(snapshotId) : undefined;
    const isWanted = snapshot !== undefined && (sourceVolumeId === '' || snapshot.sourceVolumeId === sourceVolumeId);
    return isWanted ? [snapshot] : [];
  });
  return { entries: page.map((snapshot) => ({ snapshot: snapshotMessage(snapshot) })), nextToken };
}
