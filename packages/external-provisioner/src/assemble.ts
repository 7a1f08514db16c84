import { randomInt, randomUUID } from 'node:crypto';
import { createEventRecorder, createQueueMetrics } from '@holdfast/control';
import type { AssembleDeps, Assembled, FlagValues } from '@holdfast/sidecar';
import { createProvisioner } from './controller.ts';
import { createCsiCalls } from './csi-calls.ts';
import { driverTraits } from './driver-traits.ts';
import type { provisionerFlags } from './flags.ts';
import { createProvisionMetrics } from './metrics.ts';
import { eventComponent } from './names.ts';
import { provisionRules } from './provision-rules.ts';
import { createCaches } from './stores.ts';

type Values = FlagValues<typeof provisionerFlags.table>;

/** The provisioner of one driver, as the flags want it. */
export function assembleProvisioner({ values, context, client, found }: AssembleDeps<Values>): Assembled {
  const { log, registry, hostname } = context;
  const { connection, driverName } = found;
  const driver = driverTraits({ ...found, isTopologyEnabled: values.featureGates.Topology });
  const rules = provisionRules(values);
  const caches = createCaches({ client, driver, naming: rules.naming, log });
  const recorder = createEventRecorder({ client, component: eventComponent(driverName, hostname, randomUUID()), log });
  const controller = createProvisioner({
    client,
    calls: createCsiCalls({ connection, driverName, timeoutMs: values.timeoutMs }),
    caches,
    driver,
    rules,
    recorder,
    metrics: createProvisionMetrics(registry),
    queueMetrics: createQueueMetrics(registry),
    identity: `${Date.now()}-${randomInt(10_000)}-${driverName}`,
    workers: values.workerThreads,
    retryIntervalStartMs: values.retryIntervalStartMs,
    retryIntervalMaxMs: values.retryIntervalMaxMs,
    log,
  });
  return { controller, caches, recorder };
}
