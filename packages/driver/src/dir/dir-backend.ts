import type { Backend, SizeRules } from '@holdfast/driver-kit';
import { forgetRemovedSubvolumes, giveToGroup, isOnBtrfs } from '@holdfast/mount';
import * as z from 'zod';
import { type BackendDeps, gibibyte, singleNodeModes } from '../backend-deps.ts';
import { withMountCodes } from '../mount-errors.ts';
import { createControllerTurn } from '../pool/controller-turn.ts';
import { createInlineRecords } from '../pool/inline-records.ts';
import { createNodeRegistry } from '../pool/node-registry.ts';
import { nodeTopology } from '../pool/node-topology.ts';
import { openPool, poolSpace, requireWritable } from '../pool/pool-folder.ts';
import { createSnapshotRecords } from '../pool/snapshot-records.ts';
import { createVolumeRecords } from '../pool/volume-records.ts';
import { createDirFolders } from './dir-folders.ts';
import { createDirInline } from './dir-inline.ts';
import { createDirPublisher } from './dir-publisher.ts';
import { createDirSnapshots } from './dir-snapshots.ts';
import { createDirVolumes } from './dir-volumes.ts';
import { enforcements, limitOf, requireEnforceable } from './enforced-size.ts';

const parameters = z.object({
  enforceSize: z.enum(enforcements, { message: `must be one of ${enforcements.join(', ')}` }).optional(),
});

/**
 * A folder per volume, bound into place. No attach, no stage. A size is a promise kept in the record, and the file system's space is
 * shared; on btrfs it can be held to.
 */
export async function createDirBackend(deps: BackendDeps): Promise<Backend<typeof parameters>> {
  const { nodeId, role, log } = deps;
  const pool = await openPool(deps.poolDir, [
    'volumes',
    'data',
    'nodes',
    'snapshots',
    'snapshot-data',
    'inline/volumes',
    'inline/data',
  ]);
  const records = createVolumeRecords({ folder: `${pool}/volumes`, log });
  const folders = createDirFolders(`${pool}/data`);
  const volumes = createDirVolumes({ records, folders, log });
  const snapshotRecords = createSnapshotRecords({ folder: `${pool}/snapshots`, log });
  const snapshotFolders = createDirFolders(`${pool}/snapshot-data`);
  const snapshots = createDirSnapshots({ records: snapshotRecords, folders, snapshotFolders, log });
  const publisher = createDirPublisher(folders);
  const inline = createDirInline({
    pool,
    store: createInlineRecords(`${pool}/inline/volumes`, nodeId),
    folders: createDirFolders(`${pool}/inline/data`),
    nodeId,
    log,
  });
  const nodes = createNodeRegistry(`${pool}/nodes`);
  const turn = createControllerTurn({
    pool,
    log,
    recover: async () => {
      for (const { store } of [records, snapshotRecords]) store.forget();
      await snapshots.recover();
      await volumes.recover();
      if (await isOnBtrfs(pool)) await forgetRemovedSubvolumes(pool);
    },
  });

  return {
    parameters,
    // A volume lies on one node, so every pod that shares it, whatever the mode, is scheduled there.
    accessModes: [...singleNodeModes, 'MULTI_NODE_MULTI_WRITER', 'MULTI_NODE_READER_ONLY'],
    accessKinds: ['mount'],
    hasMountFlags: false,
    topology: nodeTopology({ nodeId, zone: '' }, nodes),
    maxVolumesPerNode: deps.maxVolumesPerNode,
    prepare: async () => {
      if (role !== 'controller') {
        await nodes.register(nodeId);
        await inline.recover();
      }
      if (role !== 'node') await turn.begin();
    },
    checkHealth: () => requireWritable(pool),
    controllerTurn: turn.enter,
    findVolume: records.find,
    listVolumes: records.list,
    sizeRules: async (): Promise<SizeRules> => {
      const { totalBytes } = await poolSpace(pool);
      return { defaultBytes: gibibyte, minimumBytes: 1n, maximumBytes: totalBytes, stepBytes: 1n };
    },
    availableBytes: async () => (await poolSpace(pool)).availableBytes,
    createVolume: async (request) => {
      await requireEnforceable(pool, request.givenParameters);
      return withMountCodes(() => volumes.create(request));
    },
    restoreSnapshot: async (request, { id }) => {
      await requireEnforceable(pool, request.givenParameters);
      const source = { id: { kind: 'snapshot', id }, path: snapshotFolders.pathOf(id) } as const;
      return withMountCodes(() => volumes.create(request, source));
    },
    cloneVolume: async (request, { id }) => {
      await requireEnforceable(pool, request.givenParameters);
      const source = { id: { kind: 'volume', id }, path: folders.pathOf(id) } as const;
      return withMountCodes(() => volumes.create(request, source));
    },
    createSnapshot: (request) => withMountCodes(() => snapshots.create(request)),
    deleteSnapshot: snapshots.remove,
    findSnapshot: snapshotRecords.find,
    listSnapshots: snapshotRecords.list,
    deleteVolume: (id) => withMountCodes(() => volumes.remove(id)),
    expandVolume: async (volume, capacityBytes) => {
      // Also where the record has it: the last try may have ended between the two.
      if (limitOf(volume) !== undefined) await folders.setLimit(volume.id, capacityBytes);
      if (capacityBytes !== volume.capacityBytes)
        await records.update(volume.id, (record) => ({ ...record, capacityBytes }));
      return { capacityBytes, isNodeExpansionRequired: false };
    },
    publications: (volume, targetPath) => withMountCodes(() => publisher.publications(volume.id, targetPath)),
    publishVolume: (request) => withMountCodes(() => publisher.publish(request)),
    unpublishVolume: (id, targetPath) => withMountCodes(() => publisher.unpublish(id, targetPath)),
    applyMountGroup: (_id, path, gid) => giveToGroup(path, gid),
    inline,
    volumeStats: (volume, path) => withMountCodes(() => publisher.stats(volume, path)),
  };
}
