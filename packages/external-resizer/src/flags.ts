import { defineFlags, loggingFlags, retryFlags, standardFlags } from '@holdfast/sidecar';
import * as z from 'zod';

const WORK = 'Resizing';

const positive = z.number().positive('must be greater than zero');

/** Every flag of csi-resizer, with its default. */
export const resizerFlags = defineFlags({
  ...standardFlags,
  ...loggingFlags,
  ...retryFlags,
  'retry-interval-max': {
    ...retryFlags['retry-interval-max'],
    help: 'Longest pause between tries, and the pause after a size or class that the driver calls impossible.',
  },
  'feature-gates': {
    type: 'gates',
    gates: {
      // Upstream has it no more since v2.3. Manifests of before that switch it on are taken; off, it had another way to expand.
      RecoverVolumeExpansionFailure: { default: true, stage: 'GA' },
      AnnotateFsResize: { default: true, stage: 'beta' },
      VolumeAttributesClass: { default: true, stage: 'GA' },
      ReleaseLeaderElectionOnExit: { default: false, stage: 'alpha' },
    },
    help: 'Gate=true,Gate=false.',
    schema: z
      .record(z.string(), z.boolean())
      .refine(
        (gates) => gates.RecoverVolumeExpansionFailure,
        'RecoverVolumeExpansionFailure=false is not supported: as in csi-resizer v2.3, expansion always recovers; remove the gate',
      ),
  },
  master: {
    type: 'string',
    default: '',
    group: 'Kubernetes API',
    help: 'URL of the API server, in place of the one the kubeconfig names.',
  },
  timeout: {
    type: 'duration',
    default: '10s',
    group: WORK,
    help: 'How long one call to the driver may take. Where it is given, it stands for the two below as well.',
    schema: positive,
  },
  'resize-timeout': {
    type: 'duration',
    default: '10s',
    group: WORK,
    overriddenBy: 'timeout',
    help: 'How long ControllerExpandVolume may take. Without effect where --timeout is given.',
    schema: positive,
  },
  'modify-timeout': {
    type: 'duration',
    default: '10s',
    group: WORK,
    overriddenBy: 'timeout',
    help: 'How long ControllerModifyVolume may take. Without effect where --timeout is given.',
    schema: positive,
  },
  workers: {
    type: 'int',
    default: 10,
    group: WORK,
    help: 'How many claims are expanded at once, and how many modified beside them.',
    schema: z.number().min(1, 'must be at least 1'),
  },
  'resync-period': {
    type: 'duration',
    default: '10m',
    group: WORK,
    help: 'How often every claim is looked at again, whether it changed or not.',
    schema: positive,
  },
  'handle-volume-inuse-error': {
    type: 'bool',
    default: true,
    group: WORK,
    help: 'After a driver has refused to expand a volume in use, wait until no pod uses it. Pods are watched only from then on.',
  },
  'extra-modify-metadata': {
    type: 'bool',
    default: false,
    group: WORK,
    help: 'Tell the driver the names of claim and volume when a VolumeAttributesClass changes.',
  },
});
