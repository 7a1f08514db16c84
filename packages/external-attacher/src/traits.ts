import type { ControllerCapability, PluginCapabilityName } from '@holdfast/csi-spec';
import { finalizerOf } from './names.ts';

/** What there is to know about the driver and the flags before a VolumeAttachment is looked at. */
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
}

export function traitsOf(
  driver: {
    readonly driverName: string;
    readonly pluginCapabilities: ReadonlySet<PluginCapabilityName>;
    readonly controllerCapabilities: ReadonlySet<ControllerCapability>;
  },
  defaultFsType: string,
): DriverTraits {
  const { driverName, pluginCapabilities: plugin, controllerCapabilities: controller } = driver;
  const canPublish = plugin.has('CONTROLLER_SERVICE') && controller.has('PUBLISH_UNPUBLISH_VOLUME');
  return {
    driverName,
    finalizer: finalizerOf(driverName),
    canPublish,
    canPublishReadonly: controller.has('PUBLISH_READONLY'),
    canListPublishedNodes:
      canPublish && controller.has('LIST_VOLUMES') && controller.has('LIST_VOLUMES_PUBLISHED_NODES'),
    hasSingleNodeMultiWriter: controller.has('SINGLE_NODE_MULTI_WRITER'),
    defaultFsType,
  };
}
