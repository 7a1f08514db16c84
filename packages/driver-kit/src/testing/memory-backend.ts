import { rpcError } from '@holdfast/rpc';
import * as z from 'zod';
import type { Backend, Publication, Volume } from '../backend.ts';

const parameters = z.object({ tier: z.enum(['fast', 'slow'], { message: 'must be fast or slow' }).optional() });

export interface MemoryBackend extends Backend<typeof parameters> {
  readonly volumes: Map<string, Volume>;
  readonly published: Map<string, Publication & { volumeId: string }>;
  readonly calls: string[];
  /** Operations wait for it, so that a test can hold one while it tries another. */
  gate: Promise<void>;
}

/** A storage system of plain maps: what is tested is the kit around it. */
export function createMemoryBackend(): MemoryBackend {
  const volumes = new Map<string, Volume>();
  const published = new Map<string, Publication & { volumeId: string }>();
  const calls: string[] = [];
  const replace = (volume: Volume): Volume => {
    volumes.set(volume.id, volume);
    return volume;
  };
  const backend: MemoryBackend = {
    volumes,
    published,
    calls,
    gate: Promise.resolve(),
    parameters,
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
    createVolume: async (request) => {
      calls.push(`create ${request.id}`);
      await backend.gate;
      const { id, name, capacityBytes, givenParameters, fsType, topology } = request;
      return replace({
        id,
        name,
        capacityBytes,
        parameters: givenParameters,
        fsType,
        topology,
        context: { tier: request.parameters.tier ?? '' },
        attachments: [],
      });
    },
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
    volumeStats: async (_volume, path) =>
      published.has(path)
        ? { bytes: { total: 10n, used: 4n, available: 6n }, inodes: { total: 3n, used: 1n, available: 2n } }
        : undefined,
    expandOnNode: async (volume, path) => (published.has(path) ? volume.capacityBytes : undefined),
  };
  return backend;
}
