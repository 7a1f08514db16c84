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
import { assembleProvisioner } from './assemble.ts';
import { provisionerFlags } from './flags.ts';
import { leaseName } from './names.ts';

/** Runs csi-provisioner until a signal ends it. @returns the exit code */
export async function main(argv: readonly string[]): Promise<number> {
  return await runProgram({
    name: 'csi-provisioner',
    flags: provisionerFlags,
    argv,
    syntax: 'pflag',
    fatalExitCode: 255,
    start,
  });
}

const start: ProgramDeps<typeof provisionerFlags.table>['start'] = async (values, context) => {
  const { log, registry, signal } = context;
  const kube = await connectKube({ values, context, isKubeconfigEnvHonoured: true });
  const metrics = createOperationMetrics({ registry, subsystem: 'csi_sidecar' });
  const { timeoutMs, csiAddress: address } = values;
  const found = await connectDriver({ address, timeoutMs, log, metrics, fatalExitCode: 255, signal });
  const { connection, driverName } = found;
  const { provisioner, caches, recorder } = assembleProvisioner({ values, context, client: kube.client, found });

  const watchDriver = (groupSignal: AbortSignal) => failOnConnectionLoss(connection, log, groupSignal);
  const lead = (groupSignal: AbortSignal) =>
    runWithElection({
      values,
      context,
      client: kube.electionClient,
      leaseName: leaseName(driverName),
      work: provisioner.run,
      signal: groupSignal,
    });
  try {
    await runGroup({ ...caches.tasks, 'driver connection': watchDriver, provisioner: lead }, signal);
  } finally {
    await recorder.stop();
    connection.close();
    kube.close();
  }
};
