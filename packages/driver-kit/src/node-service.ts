import {
  type NodeGetVolumeStatsRequest,
  type NodeService,
  type NodeServiceCapability,
  NodeServiceCapability_RPC_Type,
  VolumeUsage_Unit,
} from '@holdfast/csi-spec';
import { type Handlers, rpcError } from '@holdfast/rpc';
import type { Backend, Figures } from './backend.ts';
import { nodeCapabilitiesOf } from './capabilities.ts';
import { checkRange } from './capacity.ts';
import { checkVolumeId } from './check-text.ts';
import { nodeHealthHandlers } from './health.ts';
import { type VolumeLocks, volumeKey } from './locks.ts';
import { publishHandlers } from './publish-volume.ts';
import { requireVolume } from './volume-message.ts';

export interface NodeDeps {
  readonly backend: Backend;
  readonly locks: VolumeLocks;
  readonly nodeId: string;
}

export function createNodeHandlers(deps: NodeDeps): Handlers<NodeService> {
  const { backend, nodeId } = deps;
  return {
    nodeGetCapabilities: async () => ({
      capabilities: nodeCapabilitiesOf(backend).map(
        (name): NodeServiceCapability => ({
          type: { $case: 'rpc', value: { type: NodeServiceCapability_RPC_Type[name] } },
        }),
      ),
    }),
    nodeGetInfo: async () => ({
      nodeId,
      maxVolumesPerNode: BigInt(backend.maxVolumesPerNode ?? 0),
      accessibleTopology: backend.topology === undefined ? undefined : { segments: { ...backend.topology.own } },
    }),
    ...publishHandlers(deps),
    ...statsHandler(backend),
    ...expandHandler(deps),
    ...nodeHealthHandlers(backend),
  };
}

function statsHandler(backend: Backend): Handlers<NodeService> {
  const { volumeStats } = backend;
  if (volumeStats === undefined) return {};
  return {
    // Takes no lock: figures are wanted also while the volume is being grown.
    nodeGetVolumeStats: async ({ volumeId, volumePath }: NodeGetVolumeStatsRequest) => {
      checkVolumeId(volumeId);
      if (volumePath === '') throw rpcError('InvalidArgument', 'volume_path is required');
      const inline = await backend.inline?.find(volumeId);
      const volume = inline ?? (await requireVolume(backend, volumeId));
      const read = inline === undefined ? volumeStats : backend.inline?.stats;
      const stats = isUsablePath(volumePath) ? await read?.(volume, volumePath) : undefined;
      if (stats === undefined) throw notAtPath(volumeId, volumePath);
      return {
        usage: [
          { unit: VolumeUsage_Unit.BYTES, ...figures(stats.bytes) },
          ...(stats.inodes === undefined ? [] : [{ unit: VolumeUsage_Unit.INODES, ...figures(stats.inodes) }]),
        ],
      };
    },
  };
}

function expandHandler({ backend, locks }: NodeDeps): Handlers<NodeService> {
  const { expandOnNode } = backend;
  if (expandOnNode === undefined) return {};
  return {
    nodeExpandVolume: async (request) => {
      const { volumeId, volumePath } = request;
      checkVolumeId(volumeId);
      if (volumePath === '') throw rpcError('InvalidArgument', 'volume_path is required');
      const { required, limit } = checkRange(request.capacityRange);
      return locks.exclusive([volumeKey(volumeId)], async () => {
        const volume = await requireVolume(backend, volumeId);
        if (required > volume.capacityBytes || (limit > 0n && limit < volume.capacityBytes)) {
          throw rpcError(
            'OutOfRange',
            `volume ${volumeId} has ${volume.capacityBytes} bytes, asked for ${required} to ${limit || 'any'}: ControllerExpandVolume comes first`,
          );
        }
        const capacityBytes = isUsablePath(volumePath) ? await expandOnNode(volume, volumePath) : undefined;
        if (capacityBytes === undefined) throw notAtPath(volumeId, volumePath);
        return { capacityBytes };
      });
    },
  };
}

// A path that nothing can be published at is a place where the volume is not, rather than a wrong argument: csi-sanity asks for it.
function isUsablePath(path: string): boolean {
  return path.startsWith('/') && !path.includes('\0') && !path.split('/').includes('..');
}

function notAtPath(volumeId: string, path: string): Error {
  return rpcError('NotFound', `volume ${volumeId} is not at ${JSON.stringify(path.slice(0, 200))} on this node`);
}

function figures({ total, used, available }: Figures): Figures {
  return { total, used, available };
}
