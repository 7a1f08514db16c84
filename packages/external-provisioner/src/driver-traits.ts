import type { ControllerCapability, PluginCapabilityName } from '@holdfast/csi-spec';
import { type InTreePlugin, pluginOfDriver } from '@holdfast/migration';
import { attacherFinalizer } from './names.ts';

/** What the driver said it can do, as far as it changes what we do. */
export interface DriverTraits {
  readonly driverName: string;
  readonly canCreateVolumes: boolean;
  readonly hasTopology: boolean;
  /** Volumes are attached through VolumeAttachments, so deletion must wait for those to go. */
  readonly hasAttachments: boolean;
  readonly hasSingleNodeMultiWriter: boolean;
  readonly canRestoreSnapshots: boolean;
  readonly canCloneVolumes: boolean;
  readonly canModifyVolumes: boolean;
  readonly attacherFinalizer: string;
  /** The in-tree plug-in whose classes and volumes the driver serves too. */
  readonly plugin?: InTreePlugin | undefined;
}

export function driverTraits(deps: {
  driverName: string;
  pluginCapabilities: ReadonlySet<PluginCapabilityName>;
  controllerCapabilities: ReadonlySet<ControllerCapability>;
  /** The `Topology` feature gate; off, the driver's own wish for topology is not looked at. */
  isTopologyEnabled: boolean;
}): DriverTraits {
  const { driverName, pluginCapabilities, controllerCapabilities } = deps;
  return {
    driverName,
    canCreateVolumes:
      pluginCapabilities.has('CONTROLLER_SERVICE') && controllerCapabilities.has('CREATE_DELETE_VOLUME'),
    hasTopology: deps.isTopologyEnabled && pluginCapabilities.has('VOLUME_ACCESSIBILITY_CONSTRAINTS'),
    hasAttachments: controllerCapabilities.has('PUBLISH_UNPUBLISH_VOLUME'),
    hasSingleNodeMultiWriter: controllerCapabilities.has('SINGLE_NODE_MULTI_WRITER'),
    canRestoreSnapshots: controllerCapabilities.has('CREATE_DELETE_SNAPSHOT'),
    canCloneVolumes: controllerCapabilities.has('CLONE_VOLUME'),
    canModifyVolumes: controllerCapabilities.has('MODIFY_VOLUME'),
    attacherFinalizer: attacherFinalizer(driverName),
    plugin: pluginOfDriver(driverName),
  };
}
