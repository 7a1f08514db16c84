import { type ControllerProgramOptions, runControllerProgram, runProgram } from '@holdfast/sidecar';
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
    start: (values, context) =>
      runControllerProgram({
        values,
        context,
        leaseName,
        assemble: assembleProvisioner,
        isKubeconfigEnvHonoured: true,
        isNoting: true,
        ...options,
      }),
  });
}
