import { errorMessage } from '@holdfast/core';
import {
  type IdentityService,
  type PluginCapability,
  PluginCapability_Service_Type,
  PluginCapability_VolumeExpansion_Type,
  type PluginCapabilityName,
} from '@holdfast/csi-spec';
import { type Handlers, rpcError } from '@holdfast/rpc';
import type { Backend } from './backend.ts';
import { pluginCapabilitiesOf, type Role } from './capabilities.ts';

export interface IdentityDeps {
  readonly backend: Backend;
  readonly name: string;
  readonly version: string;
  readonly role: Role;
}

export function createIdentityHandlers(deps: IdentityDeps): Handlers<IdentityService> {
  const { backend, name, version, role } = deps;
  return {
    getPluginInfo: async () => ({ name, vendorVersion: version, manifest: {} }),
    getPluginCapabilities: async () => ({ capabilities: pluginCapabilitiesOf(backend, role).map(toMessage) }),
    probe: async () => {
      try {
        await backend.checkHealth?.();
      } catch (error) {
        throw rpcError('FailedPrecondition', errorMessage(error), { cause: error });
      }
      return { ready: true };
    },
  };
}

function toMessage(name: PluginCapabilityName): PluginCapability {
  if (name === 'EXPANSION_ONLINE' || name === 'EXPANSION_OFFLINE') {
    const { ONLINE, OFFLINE } = PluginCapability_VolumeExpansion_Type;
    return { type: { $case: 'volumeExpansion', value: { type: name === 'EXPANSION_ONLINE' ? ONLINE : OFFLINE } } };
  }
  return { type: { $case: 'service', value: { type: PluginCapability_Service_Type[name] } } };
}
