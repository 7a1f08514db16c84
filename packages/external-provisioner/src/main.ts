import { type ControllerProgramOptions, ExitError, runControllerProgram, runProgram } from '@holdfast/sidecar';
import { assembleProvisioner } from './assemble.ts';
import { provisionerFlags } from './flags.ts';
import { leaseName } from './names.ts';

/** Runs csi-provisioner until a signal ends it. @returns the exit code */
export async function main(argv: readonly string[], options: ControllerProgramOptions = {}): Promise<number> {
  return await runProgram({
    name: 'csi-provisioner',
    flags: provisionerFlags,
    argv,
    syntax: 'pflag',
    fatalExitCode: 255,
    start: async (values, context) => {
      const { NODE_NAME: nodeName } = context.env;
      if (values.nodeDeployment && !nodeName) {
        throw new ExitError('--node-deployment needs the environment variable NODE_NAME: set it from spec.nodeName', {
          exitCode: context.fatalExitCode,
        });
      }
      // Without election each node keeps its notes on a lease of its own.
      const isAlone = values.nodeDeployment && !values.leaderElection;
      await runControllerProgram({
        values,
        context,
        leaseName: (driverName) => leaseName(driverName, isAlone ? nodeName : undefined),
        assemble: assembleProvisioner,
        isKubeconfigEnvHonoured: true,
        isNoting: true,
        ...options,
      });
    },
  });
}
