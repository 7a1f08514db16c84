// A driver that is slow or out of order. Its arguments: the endpoint, the milliseconds that an attachment takes, and "failing" for one
// whose attachments and expansions all fail. Each of those calls is a line on standard output. It keeps nothing, and takes any number of calls at once.
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '@holdfast/core';
import {
  ControllerServiceCapability_RPC_Type as Ability,
  ControllerGetCapabilitiesResponse,
  ControllerService,
  PluginCapability_VolumeExpansion_Type as Expansion,
  GetPluginCapabilitiesResponse,
  IdentityService,
  NodeService,
  PluginCapability_Service_Type as Service,
} from '@holdfast/csi-spec';
import { bindService, rpcError, serveUnix } from '@holdfast/rpc';
import { version } from '@holdfast/sidecar';

const [address = '', attachMs = '0', mode = ''] = process.argv.slice(2);

async function endure(call: string, takesMs: number): Promise<void> {
  console.log(call);
  if (mode === 'failing') throw rpcError('Internal', 'the storage is out of order');
  await sleep(takesMs);
}

const identity = bindService(IdentityService, {
  getPluginInfo: async () => ({ name: 'troubled.csi.holdfast', vendorVersion: version, manifest: {} }),
  getPluginCapabilities: async () =>
    GetPluginCapabilitiesResponse.fromPartial({
      capabilities: [
        { type: { $case: 'service', value: { type: Service.CONTROLLER_SERVICE } } },
        { type: { $case: 'volumeExpansion', value: { type: Expansion.ONLINE } } },
      ],
    }),
  probe: async () => ({ ready: true }),
});

const abilities = [Ability.CREATE_DELETE_VOLUME, Ability.PUBLISH_UNPUBLISH_VOLUME, Ability.EXPAND_VOLUME];
const controller = bindService(ControllerService, {
  controllerGetCapabilities: async () =>
    ControllerGetCapabilitiesResponse.fromPartial({
      capabilities: abilities.map((type) => ({ type: { $case: 'rpc', value: { type } } })),
    }),
  createVolume: async ({ name, capacityRange }) => ({
    volume: {
      volumeId: name,
      capacityBytes: capacityRange?.requiredBytes ?? 0n,
      volumeContext: {},
      contentSource: undefined,
      accessibleTopology: [],
    },
  }),
  controllerPublishVolume: async () => {
    await endure('ControllerPublishVolume', Number(attachMs));
    return { publishContext: {} };
  },
  controllerExpandVolume: async ({ capacityRange }) => {
    await endure('ControllerExpandVolume', 0);
    return { capacityBytes: capacityRange?.requiredBytes ?? 0n, nodeExpansionRequired: false };
  },
});

const node = bindService(NodeService, {
  nodeGetInfo: async () => ({ nodeId: 'bench-node', maxVolumesPerNode: 0n, accessibleTopology: undefined }),
});

const server = await serveUnix({ address, services: [identity, controller, node], log: silentLogger });
process.once('SIGTERM', () => void server.stop());
