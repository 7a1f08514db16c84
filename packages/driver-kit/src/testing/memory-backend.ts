import { rpcError } from '@holdfast/rpc';
import * as z from 'zod';
import type {
  Backend,
  BlockRange,
  CreateRequest,
  GroupSnapshot,
  Publication,
  Snapshot,
  SourceId,
  StringMap,
  Volume,
} from '../backend.ts';
import { plainVolume } from '../plain-volume.ts';

const parameters = z.object({ tier: z.enum(['fast', 'slow'], { message: 'must be fast or slow' }).optional() });

const mutableParameters = z.object({ iops: z.string().regex(/^\d+$/, 'must be a number').optional() });

export interface MemoryBackend extends Backend<typeof parameters> {
  readonly volumes: Map<string, Volume>;
  readonly snapshots: Map<string, Snapshot>;
  readonly groups: Map<string, GroupSnapshot>;
  readonly inlineVolumes: Map<string, Volume>;
  /** What SnapshotMetadata tells of every snapshot. */
  readonly blocks: BlockRange[];
  readonly published: Map<string, Publication & { volumeId: string }>;
  readonly calls: string[];
  /** Mutable parameters, as they came in. */
  readonly modified: StringMap[];
  /** Operations wait for it, so that a test can hold one while it tries another. */
  gate: Promise<void>;
}

/** A storage system of plain maps: what is tested is the kit around it. */
export function createMemoryBackend(): MemoryBackend {
  const volumes = new Map<string, Volume>();
  const snapshots = new Map<string, Snapshot>();
  const groups = new Map<string, GroupSnapshot>();
  const blocks: BlockRange[] = [];
  const inlineVolumes = new Map<string, Volume>();
  const published = new Map<string, Publication & { volumeId: string }>();
  const calls: string[] = [];
  const modified: StringMap[] = [];
  const replace = (volume: Volume): Volume => {
    volumes.set(volume.id, volume);
    return volume;
  };
  const make = async (request: CreateRequest<z.output<typeof parameters>>, source?: SourceId): Promise<Volume> => {
    calls.push(`create ${request.id}`);
    await backend.gate;
    const { id, name, capacityBytes, givenParameters, fsType, topology } = request;
    modified.push(request.mutableParameters);
    return replace({
      id,
      name,
      capacityBytes,
      parameters: givenParameters,
      fsType,
      topology,
      context: { tier: request.parameters.tier ?? '' },
      attachments: [],
      ...(source === undefined ? {} : { source }),
    });
  };
  const cut = (id: string, name: string, source: Volume, groupId = ''): Snapshot => {
    const { id: sourceVolumeId, capacityBytes: sizeBytes, fsType, topology } = source;
    const snapshot = { id, name, sourceVolumeId, sizeBytes, createdMs: 5000, isReady: true, fsType, topology, groupId };
    snapshots.set(id, snapshot);
    return snapshot;
  };
  const backend: MemoryBackend = {
    volumes,
    snapshots,
    groups,
    inlineVolumes,
    blocks,
    published,
    calls,
    modified,
    gate: Promise.resolve(),
    parameters,
    mutableParameters,
    accessModes: [
      'SINGLE_NODE_WRITER',
      'SINGLE_NODE_SINGLE_WRITER',
      'SINGLE_NODE_MULTI_WRITER',
      'SINGLE_NODE_READER_ONLY',
    ],
    accessKinds: ['mount', 'block'],
    fsTypes: ['ext4', 'xfs'],
    hasMountFlags: true,
    topology: {
      own: { 'example/node': 'a' },
      placements: async () => [{ 'example/node': 'a' }, { 'example/node': 'b' }],
    },
    maxVolumesPerNode: 2,
    findVolume: async (id) => volumes.get(id),
    sizeRules: async () => ({ defaultBytes: 1024n, minimumBytes: 512n, maximumBytes: 1n << 20n, stepBytes: 512n }),
    createVolume: (request) => make(request),
    restoreSnapshot: (request, snapshot) => make(request, { kind: 'snapshot', id: snapshot.id }),
    cloneVolume: (request, volume) => make(request, { kind: 'volume', id: volume.id }),
    deleteVolume: async (id) => {
      calls.push(`delete ${id}`);
      await backend.gate;
      volumes.delete(id);
    },
    listVolumes: async ({ after, limit }) =>
      [...volumes.values()]
        .filter((volume) => volume.id > after)
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit),
    availableBytes: async () => 4096n,
    expandVolume: async (volume, capacityBytes) => {
      calls.push(`expand ${volume.id}`);
      replace({ ...volume, capacityBytes });
      return { capacityBytes, isNodeExpansionRequired: true };
    },
    modifyVolume: async (_volume, given) => void modified.push(given),
    createSnapshot: async ({ id, name, source }) => {
      calls.push(`snapshot ${id}`);
      await backend.gate;
      return cut(id, name, source);
    },
    deleteSnapshot: async (id) => void snapshots.delete(id),
    findSnapshot: async (id) => snapshots.get(id),
    listSnapshots: async ({ after, limit, sourceVolumeId }) =>
      [...snapshots.values()]
        .filter((one) => one.id > after && (sourceVolumeId === undefined || one.sourceVolumeId === sourceVolumeId))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit),
    createGroupSnapshot: async ({ id, name, members }) => {
      const all = members.map((member) => cut(member.id, member.name, member.source, id));
      const group = { id, name, createdMs: 5000, isReady: true, snapshots: all };
      groups.set(id, group);
      return group;
    },
    deleteGroupSnapshot: async (id) => {
      for (const snapshot of groups.get(id)?.snapshots ?? []) snapshots.delete(snapshot.id);
      groups.delete(id);
    },
    findGroupSnapshot: async (id) => groups.get(id),
    snapshotBlocks: {
      async *allocated() {
        yield* blocks;
        await backend.gate;
      },
      async *changed(base, target) {
        calls.push(`compare ${base.id} ${target.id}`);
        yield* blocks;
      },
    },
    volumeHealth: async (volume) =>
      volume.name === 'ill' ? [{ kind: 'DATA_LOSS', reason: 'ImageMissing', message: 'its image is gone' }] : [],
    volumeHealthOnNode: async () => [],
    storageHealth: async () => [{ kind: 'STORAGE_DEGRADED', reason: 'PoolReadOnly', message: 'the pool is read-only' }],
    findNode: async (nodeId) => {
      if (!['a', 'b'].includes(nodeId)) return undefined;
      const attachedVolumes = [...volumes.values()].filter((volume) =>
        volume.attachments.some((one) => one.nodeId === nodeId),
      ).length;
      return { maxVolumes: 2, attachedVolumes };
    },
    attachVolume: async (volume, attachment) => {
      const others = volume.attachments.filter((one) => one.nodeId !== attachment.nodeId);
      replace({ ...volume, attachments: [...others, attachment] });
      return { device: 'x' };
    },
    detachVolume: async (id, nodeId) => {
      const volume = volumes.get(id);
      if (volume === undefined) return;
      replace({
        ...volume,
        attachments: nodeId === undefined ? [] : volume.attachments.filter((one) => one.nodeId !== nodeId),
      });
    },
    publications: async (volume) => [...published.values()].filter((one) => one.volumeId === volume.id),
    publishVolume: async ({ volume, targetPath, isReadOnly, access }) => {
      calls.push(`publish ${targetPath}`);
      if (targetPath === '/explode') throw new Error('disk on fire');
      if (targetPath === '/refuse') throw rpcError('FailedPrecondition', 'not staged');
      published.set(targetPath, { volumeId: volume.id, targetPath, isReadOnly, kind: access.kind });
    },
    unpublishVolume: async (_id, targetPath) => {
      published.delete(targetPath);
    },
    inline: {
      find: async (id) => inlineVolumes.get(id),
      publications: async (volume) => [...published.values()].filter((one) => one.volumeId === volume.id),
      publish: async ({ id, capacityBytes, givenParameters, fsType, targetPath, isReadOnly }) => {
        calls.push(`inline ${id}`);
        const volume = { ...plainVolume({ id, name: id, capacityBytes }), parameters: givenParameters, fsType };
        inlineVolumes.set(id, volume);
        published.set(targetPath, { volumeId: id, targetPath, isReadOnly, kind: 'mount' });
      },
      unpublish: async (id, targetPath) => {
        published.delete(targetPath);
        return inlineVolumes.delete(id);
      },
    },
    volumeStats: async (_volume, path) =>
      published.has(path)
        ? { bytes: { total: 10n, used: 4n, available: 6n }, inodes: { total: 3n, used: 1n, available: 2n } }
        : undefined,
    expandOnNode: async (volume, path) => (published.has(path) ? volume.capacityBytes : undefined),
  };
  return backend;
}
