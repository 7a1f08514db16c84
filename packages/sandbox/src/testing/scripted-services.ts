import {
  type ControllerCapability,
  type ControllerService,
  ControllerServiceCapability_RPC_Type,
  type IdentityService,
  type NodeCapability,
  type NodeService,
  NodeServiceCapability_RPC_Type,
  PluginCapability_Service_Type,
  PluginCapability_VolumeExpansion_Type,
  type PluginCapabilityName,
  VolumeUsage_Unit,
} from '@holdfast/csi-spec';
import { type Handlers, rpcError } from '@holdfast/rpc';

export interface ScriptedVolume {
  readonly id: string;
  readonly name: string;
  capacityBytes: bigint;
  readonly parameters: Readonly<Record<string, string>>;
  /** The mutable parameters it was made with or modified to. */
  attributes: Readonly<Record<string, string>>;
  /** Ids of the nodes it is published to. */
  readonly publishedTo: Set<string>;
}

interface ServicesDeps {
  readonly availableBytes: bigint;
  readonly name: string;
  readonly nodeId: string;
  readonly topology: Readonly<Record<string, string>>;
  readonly plugin: readonly PluginCapabilityName[];
  readonly controller: readonly ControllerCapability[];
  readonly node: readonly NodeCapability[];
}

export interface ScriptedServices {
  readonly volumes: Map<string, ScriptedVolume>;
  readonly identity: Handlers<typeof IdentityService>;
  readonly controller: Handlers<typeof ControllerService>;
  readonly node: Handlers<typeof NodeService>;
}

const defaultCapacityBytes = 1024n ** 3n;

/** What the scripted driver does when nobody told it otherwise: what the CSI specification asks, and no more. */
export function createScriptedServices(deps: ServicesDeps): ScriptedServices {
  const volumes = new Map<string, ScriptedVolume>();
  const existing = (id: string): ScriptedVolume => {
    const volume = volumes.get(id);
    if (volume === undefined) throw rpcError('NotFound', `there is no volume ${JSON.stringify(id)}`);
    return volume;
  };
  return {
    volumes,
    identity: identityOf(deps),
    controller: controllerOf(deps, volumes, existing),
    node: nodeOf(deps, existing),
  };
}

function identityOf(deps: ServicesDeps): Handlers<typeof IdentityService> {
  return {
    getPluginInfo: async () => ({ name: deps.name, vendorVersion: '0.0.0-test', manifest: {} }),
    getPluginCapabilities: async () => ({ capabilities: deps.plugin.map(pluginCapability) }),
    probe: async () => ({ ready: true }),
  };
}

function pluginCapability(name: PluginCapabilityName) {
  if (name === 'EXPANSION_ONLINE' || name === 'EXPANSION_OFFLINE') {
    const type = PluginCapability_VolumeExpansion_Type[name === 'EXPANSION_ONLINE' ? 'ONLINE' : 'OFFLINE'];
    return { type: { $case: 'volumeExpansion' as const, value: { type } } };
  }
  return { type: { $case: 'service' as const, value: { type: PluginCapability_Service_Type[name] } } };
}

function controllerOf(
  deps: ServicesDeps,
  volumes: Map<string, ScriptedVolume>,
  existing: (id: string) => ScriptedVolume,
): Handlers<typeof ControllerService> {
  const topologies = Object.keys(deps.topology).length === 0 ? [] : [{ segments: { ...deps.topology } }];
  return {
    async controllerGetCapabilities() {
      const types = deps.controller.map((name) => ControllerServiceCapability_RPC_Type[name]);
      return { capabilities: types.map((type) => ({ type: { $case: 'rpc' as const, value: { type } } })) };
    },
    async createVolume(request) {
      const { name, capacityRange, parameters, mutableParameters, volumeContentSource, accessibilityRequirements } =
        request;
      const id = `vol-${name}`;
      const wanted = capacityRange?.requiredBytes || capacityRange?.limitBytes || defaultCapacityBytes;
      const known = volumes.get(id);
      if (known !== undefined && known.capacityBytes < wanted) {
        throw rpcError('AlreadyExists', `volume ${name} is there with ${known.capacityBytes} bytes, not ${wanted}`);
      }
      const made = { id, name, capacityBytes: wanted, parameters, attributes: mutableParameters };
      const volume = known ?? { ...made, publishedTo: new Set<string>() };
      volumes.set(id, volume);
      const preferred = accessibilityRequirements?.preferred[0] ?? accessibilityRequirements?.requisite[0];
      return {
        volume: {
          volumeId: id,
          capacityBytes: volume.capacityBytes,
          volumeContext: {},
          contentSource: volumeContentSource,
          accessibleTopology: preferred === undefined ? topologies : [preferred],
        },
      };
    },
    async deleteVolume({ volumeId }) {
      const volume = volumes.get(volumeId);
      if (volume !== undefined && volume.publishedTo.size > 0) {
        throw rpcError(
          'FailedPrecondition',
          `volume ${volumeId} is published to ${[...volume.publishedTo].join(', ')}`,
        );
      }
      volumes.delete(volumeId);
      return {};
    },
    async controllerPublishVolume({ volumeId, nodeId }) {
      existing(volumeId).publishedTo.add(nodeId);
      return { publishContext: {} };
    },
    async controllerUnpublishVolume({ volumeId, nodeId }) {
      const published = volumes.get(volumeId)?.publishedTo;
      // No node id means: from every node.
      if (nodeId === '') published?.clear();
      else published?.delete(nodeId);
      return {};
    },
    async validateVolumeCapabilities({ volumeId, volumeContext, volumeCapabilities, parameters, mutableParameters }) {
      existing(volumeId);
      return { confirmed: { volumeContext, volumeCapabilities, parameters, mutableParameters }, message: '' };
    },
    async controllerExpandVolume({ volumeId, capacityRange }) {
      const volume = existing(volumeId);
      const wanted = capacityRange?.requiredBytes ?? 0n;
      if (wanted > volume.capacityBytes) volume.capacityBytes = wanted;
      return { capacityBytes: volume.capacityBytes, nodeExpansionRequired: deps.node.includes('EXPAND_VOLUME') };
    },
    async controllerModifyVolume({ volumeId, mutableParameters }) {
      existing(volumeId).attributes = mutableParameters;
      return {};
    },
    async listVolumes() {
      const entries = [...volumes.values()].map(({ id, capacityBytes, publishedTo }) => ({
        volume: {
          volumeId: id,
          capacityBytes,
          volumeContext: {},
          contentSource: undefined,
          accessibleTopology: [],
        },
        status: { publishedNodeIds: [...publishedTo], volumeCondition: undefined },
      }));
      return { entries, nextToken: '' };
    },
    async getCapacity() {
      return { availableCapacity: deps.availableBytes, maximumVolumeSize: undefined, minimumVolumeSize: undefined };
    },
  };
}

function nodeOf(deps: ServicesDeps, existing: (id: string) => ScriptedVolume): Handlers<typeof NodeService> {
  return {
    async nodeGetCapabilities() {
      const types = deps.node.map((name) => NodeServiceCapability_RPC_Type[name]);
      return { capabilities: types.map((type) => ({ type: { $case: 'rpc' as const, value: { type } } })) };
    },
    async nodeGetInfo() {
      const accessibleTopology =
        Object.keys(deps.topology).length === 0 ? undefined : { segments: { ...deps.topology } };
      return { nodeId: deps.nodeId, maxVolumesPerNode: 0n, accessibleTopology };
    },
    nodeStageVolume: async () => ({}),
    nodeUnstageVolume: async () => ({}),
    nodePublishVolume: async () => ({}),
    nodeUnpublishVolume: async () => ({}),
    async nodeExpandVolume({ volumeId }) {
      return { capacityBytes: existing(volumeId).capacityBytes };
    },
    async nodeGetVolumeStats({ volumeId }) {
      const total = existing(volumeId).capacityBytes;
      return {
        usage: [{ available: total, total, used: 0n, unit: VolumeUsage_Unit.BYTES }],
        volumeCondition: undefined,
      };
    },
  };
}
