import {
  type ControllerGetCapabilitiesResponse,
  ControllerServiceCapability_RPC_Type,
  type GetPluginCapabilitiesResponse,
  type GroupControllerGetCapabilitiesResponse,
  GroupControllerServiceCapability_RPC_Type,
  type NodeGetCapabilitiesResponse,
  NodeServiceCapability_RPC_Type,
  PluginCapability_Service_Type,
  PluginCapability_VolumeExpansion_Type,
} from './gen/csi/v1/csi.ts';

type Named<Values> = Exclude<keyof Values & string, 'UNKNOWN'>;

export type ControllerCapability = Named<typeof ControllerServiceCapability_RPC_Type>;
export type NodeCapability = Named<typeof NodeServiceCapability_RPC_Type>;
export type GroupControllerCapability = Named<typeof GroupControllerServiceCapability_RPC_Type>;
export type PluginCapabilityName =
  | Named<typeof PluginCapability_Service_Type>
  | `EXPANSION_${Named<typeof PluginCapability_VolumeExpansion_Type>}`;

/** Names by number. UNKNOWN is left out, and so is, on look-up, a number from a CSI version newer than ours. */
function namesByNumber<Values extends Readonly<Record<string, number>>>(
  values: Values,
): ReadonlyMap<number, Named<Values>> {
  const isNamed = (name: string): name is Named<Values> => name in values && name !== 'UNKNOWN';
  return new Map(Object.entries(values).flatMap(([name, number]) => (isNamed(name) ? [[number, name] as const] : [])));
}

const controllerNames = namesByNumber(ControllerServiceCapability_RPC_Type);
const nodeNames = namesByNumber(NodeServiceCapability_RPC_Type);
const groupControllerNames = namesByNumber(GroupControllerServiceCapability_RPC_Type);
const serviceNames = namesByNumber(PluginCapability_Service_Type);
const expansionNames = namesByNumber(PluginCapability_VolumeExpansion_Type);

interface RpcCapability {
  readonly type?: { readonly $case: 'rpc'; readonly value: { readonly type: number } } | undefined;
}

function rpcNames<Name>(capabilities: readonly RpcCapability[], names: ReadonlyMap<number, Name>): Set<Name> {
  const found = new Set<Name>();
  for (const capability of capabilities) {
    const name = capability.type && names.get(capability.type.value.type);
    if (name !== undefined) found.add(name);
  }
  return found;
}

export function controllerCapabilities(response: ControllerGetCapabilitiesResponse): Set<ControllerCapability> {
  return rpcNames(response.capabilities, controllerNames);
}

export function nodeCapabilities(response: NodeGetCapabilitiesResponse): Set<NodeCapability> {
  return rpcNames(response.capabilities, nodeNames);
}

export function groupControllerCapabilities(
  response: GroupControllerGetCapabilitiesResponse,
): Set<GroupControllerCapability> {
  return rpcNames(response.capabilities, groupControllerNames);
}

/** Driver-wide capabilities; the two ways to expand volumes are `EXPANSION_ONLINE` and `EXPANSION_OFFLINE`. */
export function pluginCapabilities(response: GetPluginCapabilitiesResponse): Set<PluginCapabilityName> {
  const found = new Set<PluginCapabilityName>();
  for (const { type } of response.capabilities) {
    if (type?.$case === 'service') {
      const name = serviceNames.get(type.value.type);
      if (name !== undefined) found.add(name);
    } else if (type?.$case === 'volumeExpansion') {
      const name = expansionNames.get(type.value.type);
      if (name !== undefined) found.add(`EXPANSION_${name}`);
    }
  }
  return found;
}
