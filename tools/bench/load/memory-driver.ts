// A driver whose volumes are entries of a map: it answers at once, so that what is measured is the sidecars. It can do what the disk
// driver can do and no mounting. The endpoint is its only argument.

import { silentLogger } from '@holdfast/core';
import { type Backend, serveDriver, type Volume } from '@holdfast/driver-kit';
import { rpcError } from '@holdfast/rpc';
import { version } from '@holdfast/sidecar';
import * as z from 'zod';

const nodeId = 'bench-node';
const own = { 'topology.memory.csi.holdfast/node': nodeId };
const parameters = z.object({});

const classParameters = z.object({ iops: z.string().optional() });

function memoryBackend(): Backend<typeof parameters> {
  const volumes = new Map<string, Volume>();
  let attachedVolumes = 0;
  const keep = (volume: Volume): Volume => {
    attachedVolumes += volume.attachments.length - (volumes.get(volume.id)?.attachments.length ?? 0);
    volumes.set(volume.id, volume);
    return volume;
  };
  const noMounts = async (): Promise<never> => {
    throw rpcError('Unimplemented', 'volumes in memory cannot be mounted');
  };
  return {
    parameters,
    mutableParameters: classParameters,
    accessModes: ['SINGLE_NODE_WRITER', 'SINGLE_NODE_SINGLE_WRITER', 'SINGLE_NODE_MULTI_WRITER'],
    accessKinds: ['mount', 'block'],
    hasMountFlags: true,
    topology: { own, placements: async () => [own] },
    findVolume: async (id) => volumes.get(id),
    sizeRules: async () => ({ defaultBytes: 1n << 20n, minimumBytes: 1n, maximumBytes: 1n << 50n, stepBytes: 1n }),
    createVolume: async ({ id, name, capacityBytes, givenParameters, fsType, topology }) =>
      keep({ id, name, capacityBytes, parameters: givenParameters, fsType, topology, context: {}, attachments: [] }),
    deleteVolume: async (id) => void volumes.delete(id),
    listVolumes: async ({ after, limit }) =>
      [...volumes.values()]
        .filter(({ id }) => id > after)
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit),
    availableBytes: async () => 1n << 60n,
    expandVolume: async (volume, capacityBytes) => {
      keep({ ...volume, capacityBytes });
      return { capacityBytes, isNodeExpansionRequired: true };
    },
    findNode: async (id) => (id === nodeId ? { maxVolumes: 0, attachedVolumes } : undefined),
    modifyVolume: async (volume, mutableParameters) => void keep({ ...volume, mutableParameters }),
    attachVolume: async (volume, attachment) => {
      keep({ ...volume, attachments: [attachment] });
      return {};
    },
    detachVolume: async (id) => {
      const volume = volumes.get(id);
      if (volume !== undefined) keep({ ...volume, attachments: [] });
    },
    publications: async () => [],
    publishVolume: noMounts,
    unpublishVolume: noMounts,
    expandOnNode: noMounts,
  };
}

const [address = ''] = process.argv.slice(2);
const server = await serveDriver({
  backend: memoryBackend(),
  name: 'memory.csi.holdfast',
  version,
  role: 'all',
  nodeId,
  address,
  log: silentLogger,
});
process.once('SIGTERM', () => void server.stop());
