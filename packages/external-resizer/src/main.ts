import { defineRole, prepareController } from '@holdfast/sidecar';
import { assembleResizer } from './assemble.ts';
import { resizerFlags } from './flags.ts';
import { leaseName } from './names.ts';

export const resizerRole = defineRole({
  name: 'csi-resizer',
  flags: resizerFlags,
  syntax: 'go',
  prepare: (values, context, options) =>
    prepareController({ values, context, leaseName, assemble: assembleResizer, ...options }),
});

/** Runs csi-resizer until a signal ends it. @returns the exit code */
export const { main } = resizerRole;
