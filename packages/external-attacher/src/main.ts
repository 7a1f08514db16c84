import { type ControllerProgramOptions, runControllerProgram, runProgram } from '@holdfast/sidecar';
import { assembleAttacher } from './assemble.ts';
import { attacherFlags } from './flags.ts';
import { leaseName } from './names.ts';

/** Runs csi-attacher until a signal ends it. @returns the exit code */
export async function main(argv: readonly string[], options: ControllerProgramOptions = {}): Promise<number> {
  return await runProgram({
    name: 'csi-attacher',
    flags: attacherFlags,
    argv,
    syntax: 'go',
    start: (values, context) =>
      runControllerProgram({ values, context, leaseName, assemble: assembleAttacher, ...options }),
  });
}
