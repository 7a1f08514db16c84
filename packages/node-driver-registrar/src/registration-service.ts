import type { Logger } from '@holdfast/core';
import { RegistrationService } from '@holdfast/csi-spec';
import { bindService, type ServiceBinding } from '@holdfast/rpc';
import { PLUGIN_TYPE, SUPPORTED_VERSIONS } from './names.ts';

export interface RegistrationDeps {
  readonly driverName: string;
  /** The driver's socket as kubelet sees it; handed on word for word. */
  readonly endpoint: string;
  readonly log: Logger;
  /** kubelet refused the driver. */
  readonly onRefused: (reason: string) => void;
}

/** What kubelet asks on the registration socket. */
export function registrationService(deps: RegistrationDeps): ServiceBinding {
  const { driverName, endpoint, log, onRefused } = deps;
  return bindService(RegistrationService, {
    async getInfo() {
      log.info('Received GetInfo call');
      return { type: PLUGIN_TYPE, name: driverName, endpoint, supportedVersions: [...SUPPORTED_VERSIONS] };
    },
    async notifyRegistrationStatus({ pluginRegistered, error }) {
      log.info('Received NotifyRegistrationStatus call', { registered: pluginRegistered });
      if (!pluginRegistered) onRefused(error === '' ? 'kubelet gave no reason' : error);
      return {};
    },
  });
}
