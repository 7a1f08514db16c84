import { createQueueMetrics } from '@holdfast/control';
import type { AssembleDeps, Assembled, FlagValues } from '@holdfast/sidecar';
import { createAttacher } from './controller.ts';
import { createCsiCalls } from './csi-calls.ts';
import { driverTraits } from './driver-traits.ts';
import type { attacherFlags } from './flags.ts';
import { createCaches } from './stores.ts';

type Values = FlagValues<typeof attacherFlags.table>;

/** The attacher of one driver, as the flags want it. */
export function assembleAttacher({ values, context, client, found, createReflector }: AssembleDeps<Values>): Assembled {
  const { log, registry } = context;
  const { timeoutMs, maxEntries } = values;
  const driver = driverTraits({ ...found, defaultFsType: values.defaultFstype });
  if (driver.plugin !== undefined) found.connection.countMigration();
  const caches = createCaches({ client, createReflector, driver, log });
  const controller = createAttacher({
    client,
    calls: createCsiCalls({ connection: found.connection, timeoutMs, maxEntries }),
    caches,
    driver,
    workers: values.workerThreads,
    retryIntervalStartMs: values.retryIntervalStartMs,
    retryIntervalMaxMs: values.retryIntervalMaxMs,
    resyncMs: values.resyncMs,
    reconcileSyncMs: values.reconcileSyncMs,
    hasErrorCodes: values.featureGates.MutableCSINodeAllocatableCount,
    queueMetrics: createQueueMetrics(registry),
    log,
  });
  return { controller, caches };
}
