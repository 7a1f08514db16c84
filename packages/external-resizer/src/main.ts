import { type ControllerProgramOptions, runControllerProgram, runProgram } from '@holdfast/sidecar';
import { assembleResizer } from './assemble.ts';
import { resizerFlags } from './flags.ts';
import { leaseName } from './names.ts';

/** Runs csi-resizer until a signal ends it. @returns the exit code */
export async function main(argv: readonly string[], options: ControllerProgramOptions = {}): Promise<number> {
  return await runProgram({
    name: 'csi-resizer',
    flags: resizerFlags,
    argv,
    syntax: 'go',
    start: (values, context) =>
      runControllerProgram({ values, context, leaseName, assemble: assembleResizer, ...options }),
  });
}
