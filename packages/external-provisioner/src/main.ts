import { defineRole, ExitError, prepareController } from '@holdfast/sidecar';
import { assembleProvisioner } from './assemble.ts';
import { provisionerFlags } from './flags.ts';
import { leaseName } from './names.ts';

export const provisionerRole = defineRole({
  name: 'csi-provisioner',
  flags: provisionerFlags,
  syntax: 'pflag',
  fatalExitCode: 255,
  prepare(values, context, options) {
    const { NODE_NAME: nodeName } = context.env;
    if (values.nodeDeployment && !nodeName) {
      throw new ExitError('--node-deployment needs the environment variable NODE_NAME: set it from spec.nodeName', {
        exitCode: context.fatalExitCode,
      });
    }
    // Without election each node keeps its notes on a lease of its own.
    const isAlone = values.nodeDeployment && !values.leaderElection;
    return prepareController({
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

/** Runs csi-provisioner until a signal ends it. @returns the exit code */
export const { main } = provisionerRole;
