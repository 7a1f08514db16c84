import { expect, test } from 'vitest';
import {
  ControllerGetCapabilitiesResponse,
  ControllerServiceCapability_RPC_Type as ControllerType,
  controllerCapabilities,
  GetPluginCapabilitiesResponse,
  GroupControllerGetCapabilitiesResponse,
  groupControllerCapabilities,
  NodeGetCapabilitiesResponse,
  NodeServiceCapability_RPC_Type as NodeType,
  nodeCapabilities,
  PluginCapability_Service_Type,
  PluginCapability_VolumeExpansion_Type,
  pluginCapabilities,
} from './index.ts';

const rpc = <Type>(type: Type) => ({ type: { $case: 'rpc' as const, value: { type } } });

test('names controller capabilities, and skips entries that say nothing', () => {
  const response = ControllerGetCapabilitiesResponse.create({
    capabilities: [
      rpc(ControllerType.EXPAND_VOLUME),
      rpc(ControllerType.UNKNOWN),
      {},
      rpc(ControllerType.EXPAND_VOLUME),
    ],
  });
  expect(controllerCapabilities(response)).toEqual(new Set(['EXPAND_VOLUME']));
});

test('skips a capability of a newer CSI version', () => {
  // capabilities { rpc { type: 999 } } capabilities { rpc { type: LIST_VOLUMES } }
  const bytes = Uint8Array.from([0x0a, 0x05, 0x0a, 0x03, 0x08, 0xe7, 0x07, 0x0a, 0x04, 0x0a, 0x02, 0x08, 0x03]);
  expect(controllerCapabilities(ControllerGetCapabilitiesResponse.decode(bytes))).toEqual(new Set(['LIST_VOLUMES']));
});

test('does not confuse node numbers with controller numbers', () => {
  const response = NodeGetCapabilitiesResponse.create({ capabilities: [rpc(NodeType.EXPAND_VOLUME)] });
  expect(nodeCapabilities(response)).toEqual(new Set(['EXPAND_VOLUME']));
  expect(NodeType.EXPAND_VOLUME).not.toBe(ControllerType.EXPAND_VOLUME);
});

test('names group controller capabilities', () => {
  const response = GroupControllerGetCapabilitiesResponse.create({ capabilities: [rpc(1 as const)] });
  expect(groupControllerCapabilities(response)).toEqual(new Set(['CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT']));
});

test('names driver-wide capabilities of both kinds', () => {
  const response = GetPluginCapabilitiesResponse.create({
    capabilities: [
      { type: { $case: 'service', value: { type: PluginCapability_Service_Type.VOLUME_ACCESSIBILITY_CONSTRAINTS } } },
      { type: { $case: 'volumeExpansion', value: { type: PluginCapability_VolumeExpansion_Type.ONLINE } } },
      { type: { $case: 'volumeExpansion', value: {} } },
      {},
    ],
  });
  expect(pluginCapabilities(response)).toEqual(new Set(['VOLUME_ACCESSIBILITY_CONSTRAINTS', 'EXPANSION_ONLINE']));
});
