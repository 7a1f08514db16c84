import { defineRole, prepareController } from '@holdfast/sidecar';
import { assembleAttacher } from './assemble.ts';
import { attacherFlags } from './flags.ts';
import { leaseName } from './names.ts';

export const attacherRole = defineRole({
  name: 'csi-attacher',
  flags: attacherFlags,
  syntax: 'go',
  prepare: (values, context, options) =>
    prepareController({ values, context, leaseName, assemble: assembleAttacher, ...options }),
});

/** Runs csi-attacher until a signal ends it. @returns the exit code */
export const { main } = attacherRole;
