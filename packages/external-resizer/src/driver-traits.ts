import { NodeService, nodeCapabilities } from '@holdfast/csi-spec';
import { type InTreePlugin, pluginOfDriver } from '@holdfast/migration';
import { type DriverConnection, ExitError } from '@holdfast/sidecar';

/** What the driver said it can do, as far as it changes what we do. */
export interface DriverTraits {
  readonly driverName: string;
  /** Volumes grow, here or on the node. */
  readonly canExpand: boolean;
  /** The driver expands on the node alone: there is nothing to call here. */
  readonly isNodeOnly: boolean;
  /** Volumes take another VolumeAttributesClass. */
  readonly canModify: boolean;
  readonly hasSingleNodeMultiWriter: boolean;
  /** The in-tree plug-in whose volumes the driver serves too. */
  readonly plugin?: InTreePlugin | undefined;
}

/**
 * What the driver can change of a volume, and who expands: its controller, or its nodes alone. Asked once, at the start.
 * @throws ExitError when there is nothing for a resizer to do
 */
export async function driverTraits(
  found: DriverConnection,
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<DriverTraits> {
  const { connection, driverName, pluginCapabilities, controllerCapabilities } = found;
  if (!pluginCapabilities.has('CONTROLLER_SERVICE')) {
    throw new ExitError(`CSI driver "${driverName}" has no controller service; a resizer is of no use beside it`);
  }
  const traits = {
    driverName,
    canModify: controllerCapabilities.has('MODIFY_VOLUME'),
    hasSingleNodeMultiWriter: controllerCapabilities.has('SINGLE_NODE_MULTI_WRITER'),
    plugin: pluginOfDriver(driverName),
  };
  if (controllerCapabilities.has('EXPAND_VOLUME')) return { ...traits, canExpand: true, isNodeOnly: false };
  const node = nodeCapabilities(await connection.client(NodeService).nodeGetCapabilities({}, options));
  if (node.has('EXPAND_VOLUME')) return { ...traits, canExpand: true, isNodeOnly: true };
  if (traits.canModify) return { ...traits, canExpand: false, isNodeOnly: false };
  throw new ExitError(`CSI driver "${driverName}" can neither expand nor modify volumes; remove this sidecar`, {
    exitCode: 255,
  });
}
