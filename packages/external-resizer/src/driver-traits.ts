import { NodeService, nodeCapabilities } from '@holdfast/csi-spec';
import { type DriverConnection, ExitError } from '@holdfast/sidecar';

/** What the driver said it can do, as far as it changes what we do. */
export interface DriverTraits {
  readonly driverName: string;
  /** The driver expands on the node alone: there is nothing to call here. */
  readonly isNodeOnly: boolean;
  readonly hasSingleNodeMultiWriter: boolean;
}

/**
 * Who expands: the driver's controller, or its nodes alone. Asked once, at the start.
 * @throws ExitError when there is nothing for a resizer to do
 */
export async function driverTraits(
  found: DriverConnection,
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<DriverTraits> {
  const { connection, driverName, pluginCapabilities, controllerCapabilities } = found;
  const hasSingleNodeMultiWriter = controllerCapabilities.has('SINGLE_NODE_MULTI_WRITER');
  if (!pluginCapabilities.has('CONTROLLER_SERVICE')) {
    throw new ExitError(`CSI driver "${driverName}" has no controller service; a resizer is of no use beside it`);
  }
  if (controllerCapabilities.has('EXPAND_VOLUME')) return { driverName, isNodeOnly: false, hasSingleNodeMultiWriter };
  const node = nodeCapabilities(await connection.client(NodeService).nodeGetCapabilities({}, options));
  if (node.has('EXPAND_VOLUME')) return { driverName, isNodeOnly: true, hasSingleNodeMultiWriter };
  const remedy = controllerCapabilities.has('MODIFY_VOLUME')
    ? 'it can modify volumes, which this resizer does not do yet'
    : 'remove this sidecar';
  throw new ExitError(`CSI driver "${driverName}" cannot expand volumes; ${remedy}`, { exitCode: 255 });
}
