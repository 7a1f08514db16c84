import type { SidecarName } from '../../rig/contract.ts';

/** What each sidecar asks the driver to do. How often it asks what the driver is, is not compared. */
export const methods: Readonly<Record<SidecarName, ReadonlySet<string>>> = {
  provisioner: new Set(['CreateVolume', 'DeleteVolume']),
  attacher: new Set(['ControllerPublishVolume', 'ControllerUnpublishVolume']),
  resizer: new Set(['ControllerExpandVolume', 'ControllerModifyVolume']),
};
