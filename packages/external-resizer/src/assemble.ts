import { createEventRecorder, createQueueMetrics } from '@holdfast/control';
import { NodeService, nodeCapabilities } from '@holdfast/csi-spec';
import type { KubeClient } from '@holdfast/kube';
import { type DriverConnection, ExitError, type FlagValues, type ProgramContext } from '@holdfast/sidecar';
import { createResizer, type Resizer } from './controller.ts';
import { createCsiCalls } from './csi-calls.ts';
import type { resizerFlags } from './flags.ts';
import { eventComponent } from './names.ts';
import { type Caches, createCaches } from './stores.ts';

type Values = FlagValues<typeof resizerFlags.table>;

export interface AssembledResizer {
  readonly resizer: Resizer;
  readonly caches: Caches;
  readonly recorder: ReturnType<typeof createEventRecorder>;
}

export type ExpansionSupport = 'controller' | 'nodeOnly';

/**
 * Who expands: the driver's controller, or its nodes alone. Asked once, at the start.
 * @throws ExitError when there is nothing for a resizer to do
 */
export async function detectExpansion(
  found: DriverConnection,
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<ExpansionSupport> {
  const { connection, driverName } = found;
  if (!found.pluginCapabilities.has('CONTROLLER_SERVICE')) {
    throw new ExitError(`CSI driver "${driverName}" has no controller service; a resizer is of no use beside it`);
  }
  if (found.controllerCapabilities.has('EXPAND_VOLUME')) return 'controller';
  const node = nodeCapabilities(await connection.client(NodeService).nodeGetCapabilities({}, options));
  if (node.has('EXPAND_VOLUME')) return 'nodeOnly';
  const remedy = found.controllerCapabilities.has('MODIFY_VOLUME')
    ? 'it can modify volumes, which this resizer does not do yet'
    : 'remove this sidecar';
  throw new ExitError(`CSI driver "${driverName}" cannot expand volumes; ${remedy}`, { exitCode: 255 });
}

/** @throws ExitError for a gate whose other path is not there */
export function checkGates(gates: Values['featureGates']): void {
  if (gates.RecoverVolumeExpansionFailure) return;
  throw new ExitError(
    '--feature-gates: RecoverVolumeExpansionFailure=false is not supported: expansion without recovery is left out; remove the gate',
  );
}

/** The resizer of one driver, as the flags want it. */
export function assembleResizer(deps: {
  values: Values;
  context: Pick<ProgramContext, 'log' | 'registry'>;
  client: KubeClient;
  found: DriverConnection;
  expansion: ExpansionSupport;
}): AssembledResizer {
  const { values, client, found, expansion } = deps;
  const { log, registry } = deps.context;
  const { connection, driverName } = found;
  const caches = createCaches({ client, driverName, log });
  const recorder = createEventRecorder({ client, component: eventComponent(driverName), log });
  const hasSingleNodeMultiWriter = found.controllerCapabilities.has('SINGLE_NODE_MULTI_WRITER');
  const resizer = createResizer({
    client,
    calls:
      expansion === 'controller'
        ? createCsiCalls({ connection, driverName, hasSingleNodeMultiWriter, timeoutMs: values.timeoutMs })
        : undefined,
    caches,
    rules: {
      driverName,
      isNodeOnly: expansion === 'nodeOnly',
      isPreResizeCapacityCleared: values.featureGates.AnnotateFsResize,
    },
    recorder,
    workers: values.workers,
    retryIntervalStartMs: values.retryIntervalStartMs,
    retryIntervalMaxMs: values.retryIntervalMaxMs,
    resyncPeriodMs: values.resyncPeriodMs,
    isInUseHandled: values.handleVolumeInuseError,
    queueMetrics: createQueueMetrics(registry),
    log,
  });
  return { resizer, caches, recorder };
}
