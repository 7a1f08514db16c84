import type { ControllerCapability, PluginCapabilityName } from '@holdfast/csi-spec';
import { type InTreePlugin, pluginOfDriver } from '@holdfast/migration';
import { attacherFinalizer } from './names.ts';

/** What the driver said it can do, as far as it changes what we do. */
export interface DriverTraits {
  readonly driverName: string;
  /** Ours, on VolumeAttachments and volumes. */
  readonly finalizer: string;
  /** Without it there is nothing to call: every VolumeAttachment counts as attached. */
  readonly canPublish: boolean;
  readonly canPublishReadonly: boolean;
  readonly canListPublishedNodes: boolean;
  readonly hasSingleNodeMultiWriter: boolean;
  readonly defaultFsType: string;
  /** The in-tree plug-in whose volumes the driver serves too. */
  readonly plugin?: InTreePlugin | undefined;
}

export function driverTraits(deps: {
  driverName: string;
  pluginCapabilities: ReadonlySet<PluginCapabilityName>;
  controllerCapabilities: ReadonlySet<ControllerCapability>;
  /** `--default-fstype`: of volumes that name none. */
  defaultFsType: string;
}): DriverTraits {
  const { driverName, pluginCapabilities, controllerCapabilities, defaultFsType } = deps;
  const canPublish =
    pluginCapabilities.has('CONTROLLER_SERVICE') && controllerCapabilities.has('PUBLISH_UNPUBLISH_VOLUME');
  return {
    driverName,
    finalizer: attacherFinalizer(driverName),
    canPublish,
    canPublishReadonly: controllerCapabilities.has('PUBLISH_READONLY'),
    canListPublishedNodes:
      canPublish &&
      controllerCapabilities.has('LIST_VOLUMES') &&
      controllerCapabilities.has('LIST_VOLUMES_PUBLISHED_NODES'),
    hasSingleNodeMultiWriter: controllerCapabilities.has('SINGLE_NODE_MULTI_WRITER'),
    defaultFsType,
    plugin: pluginOfDriver(driverName),
  };
}
