import { createQueueMetrics, type Fence } from '@holdfast/control';
import { createOperationMetrics } from '@holdfast/rpc';
import * as sidecar from '@holdfast/sidecar';
import { createCaches } from './caches.ts';
import { runAttacher } from './controller.ts';
import { createCsiCalls } from './csi-calls.ts';
import { type AttacherFlags, flags } from './flags.ts';
import { leaseName } from './names.ts';
import { traitsOf } from './traits.ts';

/** Runs csi-attacher. @returns its exit code */
export function main(argv: readonly string[]): Promise<number> {
  return sidecar.runProgram({ name: 'csi-attacher', flags, argv, syntax: 'go', start });
}

async function start(values: AttacherFlags, context: sidecar.ProgramContext): Promise<void> {
  const { log, registry, signal } = context;
  const { timeoutMs, csiAddress: address } = values;
  const { client, electionClient, close } = await sidecar.connectKube({ values, context });
  const metrics = createOperationMetrics({ registry, subsystem: 'csi_sidecar' });
  const driver = await sidecar.connectDriver({ address, timeoutMs, log, metrics, signal });
  const { connection, driverName } = driver;
  const traits = traitsOf(driver, values.defaultFstype);
  const caches = createCaches({ client, traits, log });
  const attacher = {
    ...values,
    client,
    caches,
    traits,
    log,
    calls: createCsiCalls({ connection, timeoutMs, maxEntries: values.maxEntries }),
    workers: values.workerThreads,
    hasErrorCodes: values.featureGates.MutableCSINodeAllocatableCount,
    metrics: createQueueMetrics(registry),
  };
  const work = (signal: AbortSignal, fence: Fence) => runAttacher(attacher, signal, fence);
  const election = { values, context, client: electionClient, leaseName: leaseName(driverName), work };
  const tasks = {
    connection: (signal: AbortSignal) => sidecar.failOnConnectionLoss(connection, log, signal),
    caches: (signal: AbortSignal) => caches.run(signal),
    work: (signal: AbortSignal) => sidecar.runWithElection({ ...election, signal }),
  };
  try {
    await sidecar.runGroup(tasks, signal);
  } finally {
    connection.close();
    close();
  }
}
