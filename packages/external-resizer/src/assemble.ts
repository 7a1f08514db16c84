import { createEventRecorder, createQueueMetrics } from '@holdfast/control';
import type { AssembleDeps, Assembled, FlagValues } from '@holdfast/sidecar';
import { servesAttributesClasses } from './class-api.ts';
import { createResizer } from './controller.ts';
import { createCsiCalls } from './csi-calls.ts';
import { driverTraits } from './driver-traits.ts';
import type { resizerFlags } from './flags.ts';
import { eventComponent } from './names.ts';
import { createCaches } from './stores.ts';

type Values = FlagValues<typeof resizerFlags.table>;

/** The resizer of one driver, as the flags want it. */
export async function assembleResizer({
  values,
  context,
  client,
  found,
  createReflector,
}: AssembleDeps<Values>): Promise<Assembled> {
  const { log, registry, signal } = context;
  const { timeoutMs, resizeTimeoutMs, modifyTimeoutMs, featureGates } = values;
  const { connection, driverName } = found;
  const driver = await driverTraits(found, { timeoutMs, signal });
  if (driver.plugin !== undefined) connection.countMigration();
  const isModifying =
    driver.canModify && featureGates.VolumeAttributesClass && (await servesAttributesClasses({ client, log, signal }));
  const caches = createCaches({ client, createReflector, driver, isModifying, log });
  const recorder = createEventRecorder({ client, component: eventComponent(driverName), log });
  const controller = createResizer({
    client,
    calls: createCsiCalls({ connection, driver, resizeTimeoutMs, modifyTimeoutMs }),
    caches,
    driver,
    rules: { isPreResizeCapacityKept: featureGates.AnnotateFsResize },
    modify: isModifying ? { hasExtraMetadata: values.extraModifyMetadata } : undefined,
    recorder,
    queueMetrics: createQueueMetrics(registry),
    workers: values.workers,
    retryIntervalStartMs: values.retryIntervalStartMs,
    retryIntervalMaxMs: values.retryIntervalMaxMs,
    resyncPeriodMs: values.resyncPeriodMs,
    isInUseHandled: values.handleVolumeInuseError,
    log,
  });
  return { controller, caches, recorder };
}
