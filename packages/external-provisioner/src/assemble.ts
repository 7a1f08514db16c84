import { randomInt, randomUUID } from 'node:crypto';
import { createEventRecorder, createQueueMetrics } from '@holdfast/control';
import type { KubeClient } from '@holdfast/kube';
import type { DriverConnection, FlagValues, ProgramContext } from '@holdfast/sidecar';
import { createProvisioner, type Provisioner } from './controller.ts';
import { createCsiCalls } from './csi-calls.ts';
import { driverTraits } from './driver-traits.ts';
import type { provisionerFlags } from './flags.ts';
import { createProvisionMetrics } from './metrics.ts';
import { provisionRules } from './provision-rules.ts';
import { type Caches, createCaches } from './stores.ts';

export interface AssembledProvisioner {
  readonly provisioner: Provisioner;
  readonly caches: Caches;
  readonly recorder: ReturnType<typeof createEventRecorder>;
}

/** The provisioner of one driver, as the flags want it. */
export function assembleProvisioner(deps: {
  values: FlagValues<typeof provisionerFlags.table>;
  context: Pick<ProgramContext, 'log' | 'registry' | 'hostname'>;
  client: KubeClient;
  found: DriverConnection;
}): AssembledProvisioner {
  const { values, client, found } = deps;
  const { log, registry, hostname } = deps.context;
  const { connection, driverName } = found;
  const driver = driverTraits({ ...found, isTopologyEnabled: values.featureGates.Topology });
  const rules = provisionRules(values);
  const caches = createCaches({ client, driver, naming: rules.naming, log });
  const recorder = createEventRecorder({ client, component: `${driverName}_${hostname}_${randomUUID()}`, log });
  const provisioner = createProvisioner({
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
  return { provisioner, caches, recorder };
}
