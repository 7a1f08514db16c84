import { createOperationMetrics } from '@holdfast/rpc';
import {
  connectDriver,
  connectKube,
  failOnConnectionLoss,
  type ProgramDeps,
  runGroup,
  runProgram,
  runWithElection,
} from '@holdfast/sidecar';
import { assembleResizer, checkGates, detectExpansion } from './assemble.ts';
import { resizerFlags } from './flags.ts';
import { leaseName } from './names.ts';

/** Runs csi-resizer until a signal ends it. @returns the exit code */
export async function main(argv: readonly string[]): Promise<number> {
  return await runProgram({ name: 'csi-resizer', flags: resizerFlags, argv, syntax: 'go', start });
}

const start: ProgramDeps<typeof resizerFlags.table>['start'] = async (values, context) => {
  const { log, registry, signal } = context;
  checkGates(values.featureGates);
  const kube = await connectKube({ values, context });
  const metrics = createOperationMetrics({ registry, subsystem: 'csi_sidecar' });
  const { timeoutMs, csiAddress: address } = values;
  const found = await connectDriver({ address, timeoutMs, log, metrics, signal });
  const { connection, driverName } = found;
  const expansion = await detectExpansion(found, { timeoutMs, signal });
  const { resizer, caches, recorder } = assembleResizer({ values, context, client: kube.client, found, expansion });

  const watchDriver = (groupSignal: AbortSignal) => failOnConnectionLoss(connection, log, groupSignal);
  const lead = (groupSignal: AbortSignal) =>
    runWithElection({
      values,
      context,
      client: kube.electionClient,
      leaseName: leaseName(driverName),
      work: resizer.run,
      signal: groupSignal,
    });
  try {
    await runGroup({ ...caches.tasks, 'driver connection': watchDriver, resizer: lead }, signal);
  } finally {
    await recorder.stop();
    connection.close();
    kube.close();
  }
};
