import type { Backend, SizeRules } from '@holdfast/driver-kit';
import {
  canGrowMountedExt,
  fileSystemTypes,
  giveToGroup,
  isFileSystemType,
  minimumSizeBytes,
  requireIoCgroup,
} from '@holdfast/mount';
import { rpcError } from '@holdfast/rpc';
import * as z from 'zod';
import { type BackendDeps, gibibyte, singleNodeModes } from '../backend-deps.ts';
import { withMountCodes } from '../mount-errors.ts';
import { createControllerTurn } from '../pool/controller-turn.ts';
import { createInlineRecords } from '../pool/inline-records.ts';
import { createNodeRegistry } from '../pool/node-registry.ts';
import { nodeTopology } from '../pool/node-topology.ts';
import { openPool, poolSpace, requireWritable } from '../pool/pool-folder.ts';
import { createGroupRecords, createSnapshotRecords } from '../pool/snapshot-records.ts';
import { createVolumeRecords } from '../pool/volume-records.ts';
import { createDiskBlocks } from './disk-blocks.ts';
import { createDiskCopies } from './disk-copies.ts';
import { createDiskDevices, requireLoopDevices } from './disk-device.ts';
import { createDiskHealth } from './disk-health.ts';
import { createDiskImages } from './disk-images.ts';
import { createDiskInline } from './disk-inline.ts';
import { createDiskPublisher } from './disk-publisher.ts';
import { createDiskSnapshots } from './disk-snapshots.ts';
import { createDiskStaging } from './disk-staging.ts';
import { createDiskVolumes } from './disk-volumes.ts';
import { createPoolSpace, type PoolSpace } from './pool-space.ts';
import { createStageRecords } from './stage-record.ts';
import { mutableParametersFor } from './tuning.ts';

const fsTypes = [...fileSystemTypes];
const parameters = z.object({
  fsType: z.enum(fsTypes, { message: `must be one of ${fsTypes.join(', ')}` }).optional(),
});

// A raw device has no file system to fit; this keeps partition tools happy.
const smallestDeviceBytes = 1024n * 1024n;
// Loop devices show whole sectors only.
const sectorBytes = 512n;

/** An image file per volume, shown as a loop device: attached, staged with a file system or published raw, grown while in use. */
export async function createDiskBackend(deps: BackendDeps): Promise<Backend<typeof parameters>> {
  const { nodeId, zone, role, maxVolumesPerNode, ioCgroup, log } = deps;
  const pool = await openPool(deps.poolDir, [
    'volumes',
    'images',
    'stages',
    'nodes',
    'snapshots',
    'snapshot-images',
    'groups',
    'inline/volumes',
    'inline/images',
    'inline/stages',
  ]);
  const records = createVolumeRecords({ folder: `${pool}/volumes`, log });
  const stageRecords = createStageRecords(`${pool}/stages`, nodeId);
  const images = createDiskImages(`${pool}/images`);
  const nodes = createNodeRegistry(`${pool}/nodes`);
  const inlineStore = createInlineRecords(`${pool}/inline/volumes`, nodeId);
  const inlineImages = createDiskImages(`${pool}/inline/images`);
  const devices = createDiskDevices({ images, neighbours: [inlineImages], records: records.store, nodeId });
  const snapshotRecords = createSnapshotRecords({ folder: `${pool}/snapshots`, log });
  const groups = createGroupRecords(`${pool}/groups`);
  const snapshotImages = createDiskImages(`${pool}/snapshot-images`);
  const space = createPoolSpace({
    pool,
    records,
    snapshots: snapshotRecords,
    images,
    inline: { store: inlineStore, images: inlineImages },
  });
  const copies = createDiskCopies({ devices, ownNodeId: role === 'controller' ? undefined : nodeId, log });
  const volumes = createDiskVolumes({
    records,
    stageRecords,
    images,
    devices,
    copies,
    space,
    nodes,
    maxVolumesPerNode,
    ioCgroup,
    log,
  });
  const snapshots = createDiskSnapshots({
    records: snapshotRecords,
    groups,
    stageRecords,
    images,
    snapshotImages,
    copies,
    space,
    log,
  });
  const health = createDiskHealth({ pool, images, devices });
  const staging = createDiskStaging({ devices, stageRecords, ioCgroup, log });
  // What a controller in another process has promised since, this one has not seen.
  const spaceBesideController: PoolSpace = {
    ...space,
    reserve: (work) =>
      space.reserve(() => {
        for (const { store } of [records, snapshotRecords]) store.forget();
        space.forget();
        return work();
      }),
  };
  const inline = createDiskInline({
    store: inlineStore,
    images: inlineImages,
    stagesFolder: `${pool}/inline/stages`,
    otherImages: images,
    space: role === 'node' ? spaceBesideController : space,
    nodeId,
    ioCgroup,
    log,
  });
  const publisher = createDiskPublisher({ devices, stageRecords });

  const turn = createControllerTurn({
    pool,
    log,
    recover: async () => {
      for (const { store } of [records, snapshotRecords]) store.forget();
      // A held file system first: what is below reads mounts and devices only, and others wait for it.
      await snapshots.recover();
      await volumes.recover();
    },
  });

  async function recoverNode(): Promise<void> {
    await requireLoopDevices();
    if (ioCgroup !== '') await requireIoCgroup(ioCgroup);
    await nodes.register(nodeId, zone);
    await stageRecords.removeTemporaryFiles();
    await inline.recover();
    if (!(await canGrowMountedExt())) {
      log.warn(
        'Without CAP_SYS_RESOURCE a mounted ext4 volume does not grow; it grows when it is staged the next time',
      );
    }
    for (const loop of await devices.releaseUnused()) {
      log.info('Detached a loop device that nothing uses', { device: loop.device, image: loop.backingFile });
    }
  }

  return {
    parameters,
    mutableParameters: mutableParametersFor(ioCgroup),
    accessModes: singleNodeModes,
    accessKinds: ['mount', 'block'],
    fsTypes,
    hasMountFlags: true,
    topology: nodeTopology({ nodeId, zone }, nodes),
    maxVolumesPerNode,
    prepare: async () => {
      if (role !== 'controller') await recoverNode();
      if (role !== 'node') await turn.begin();
    },
    checkHealth: () => requireWritable(pool),
    controllerTurn: turn.enter,
    findVolume: records.find,
    listVolumes: records.list,
    availableBytes: volumes.availableBytes,
    sizeRules: async ({ fsType }): Promise<SizeRules> => {
      const { totalBytes } = await poolSpace(pool);
      const minimumBytes = isFileSystemType(fsType) ? minimumSizeBytes(fsType) : smallestDeviceBytes;
      return { defaultBytes: gibibyte, minimumBytes, maximumBytes: totalBytes, stepBytes: sectorBytes };
    },
    chooseFsType: ({ fsType }, accesses, sourceFsType) => {
      const asked = accesses.flatMap((access) =>
        access.kind === 'mount' && access.fsType !== '' ? [access.fsType] : [],
      );
      const wanted = [...new Set([...(fsType === undefined ? [] : [fsType]), ...asked])];
      if (wanted.length > 1) {
        throw rpcError(
          'InvalidArgument',
          `fsType and csi.storage.k8s.io/fstype of the class disagree: ${wanted.join(', ')}; keep one`,
        );
      }
      if (wanted[0] !== undefined) return wanted[0];
      return accesses.every((access) => access.kind === 'block') ? '' : sourceFsType || 'ext4';
    },
    createVolume: (request) => withMountCodes(() => volumes.create(request)),
    restoreSnapshot: (request, { id }) =>
      withMountCodes(() => volumes.create(request, { id: { kind: 'snapshot', id }, image: snapshotImages.pathOf(id) })),
    cloneVolume: (request, volume) =>
      withMountCodes(() =>
        volumes.create(request, {
          id: { kind: 'volume', id: volume.id },
          image: images.pathOf(volume.id),
          volume,
        }),
      ),
    modifyVolume: (volume, given) => withMountCodes(() => volumes.modify(volume, given)),
    createSnapshot: (request) => withMountCodes(() => snapshots.create(request)),
    deleteSnapshot: snapshots.remove,
    findSnapshot: snapshotRecords.find,
    listSnapshots: snapshotRecords.list,
    createGroupSnapshot: (request) => withMountCodes(() => snapshots.createGroup(request)),
    deleteGroupSnapshot: snapshots.removeGroup,
    findGroupSnapshot: snapshots.findGroup,
    deleteVolume: (id) => withMountCodes(() => volumes.remove(id)),
    expandVolume: async (volume, capacityBytes) => {
      await withMountCodes(() => volumes.expand(volume, capacityBytes));
      return { capacityBytes, isNodeExpansionRequired: true };
    },
    snapshotBlocks: createDiskBlocks(snapshotImages),
    volumeHealth: health.ofVolume,
    volumeHealthOnNode: health.ofVolumeOnNode,
    storageHealth: health.ofStorage,
    findNode: volumes.nodeLoad,
    attachVolume: async (volume, attachment) => {
      await volumes.attach(volume, attachment);
      return {};
    },
    detachVolume: volumes.detach,
    stageVolume: (request) => withMountCodes(() => staging.stage(request)),
    unstageVolume: (id, stagingPath) => withMountCodes(() => staging.unstage(id, stagingPath)),
    publications: (volume, targetPath) => withMountCodes(() => publisher.publications(volume, targetPath)),
    publishVolume: (request) => withMountCodes(() => publisher.publish(request)),
    unpublishVolume: (id, targetPath) => withMountCodes(() => publisher.unpublish(id, targetPath)),
    applyMountGroup: (_id, path, gid) => giveToGroup(path, gid),
    inline,
    volumeStats: (volume, path) => withMountCodes(() => publisher.stats(volume, path)),
    expandOnNode: (volume, path) => withMountCodes(() => publisher.expand(volume, path)),
  };
}
