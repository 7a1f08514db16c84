/** What kubelet calls a CSI driver's registration; see k8s.io/kubelet/pkg/apis/pluginregistration/v1. */
export const PLUGIN_TYPE = 'CSIPlugin';

/** Versions of CSI's wire that kubelet may speak to the driver; kubelet wants a 1.x. */
export const SUPPORTED_VERSIONS = ['1.0.0'] as const;

/** A mode that old charts still run as an exec probe. */
export const REGISTRATION_PROBE_MODE = 'kubelet-registration-probe';

/** CSI spec, GetPluginInfoResponse.name. Here it becomes a file name, so it is checked by shape. */
const DRIVER_NAME = /^[a-zA-Z0-9]([-_.a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/;

/** @throws Error on a name that must not become a path */
export function registrationSocketPath(folder: string, driverName: string): string {
  if (!DRIVER_NAME.test(driverName)) {
    throw new Error(
      `the CSI driver calls itself ${JSON.stringify(driverName)}, which is no driver name: the CSI specification demands ` +
        'at most 63 letters, digits, dashes and dots, with a letter or digit at both ends',
    );
  }
  return `${folder.replace(/\/+$/, '')}/${driverName}-reg.sock`;
}
