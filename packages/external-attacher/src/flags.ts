import { defineFlags, loggingFlags, retryFlags, standardFlags } from '@holdfast/sidecar';
import * as z from 'zod';

const WORK = 'Attaching';

const positive = z.number().positive('must be greater than zero');

/** Every flag of csi-attacher, with its default. */
export const attacherFlags = defineFlags({
  ...standardFlags,
  ...loggingFlags,
  ...retryFlags,
  'feature-gates': {
    type: 'gates',
    gates: {
      MutableCSINodeAllocatableCount: { default: true, stage: 'GA' },
      ReleaseLeaderElectionOnExit: { default: false, stage: 'alpha' },
    },
    help: 'Gate=true,Gate=false.',
  },
  timeout: {
    type: 'duration',
    default: '15s',
    group: WORK,
    help: 'How long each call to the driver may take; for ListVolumes, all pages together.',
    schema: positive,
  },
  'worker-threads': {
    type: 'uint',
    default: 10,
    group: WORK,
    help: 'How many VolumeAttachments are worked on at once, attaches and detaches in turns and neither on the last free worker; beside them, how many PersistentVolumes.',
    schema: z.number().int().min(1, 'must be at least 1'),
  },
  resync: {
    type: 'duration',
    default: '10m',
    group: WORK,
    help: 'How often every VolumeAttachment and PersistentVolume is looked at again. 0: never.',
    schema: z.number().min(0, 'must not be negative'),
  },
  'reconcile-sync': {
    type: 'duration',
    default: '1m',
    group: WORK,
    help: 'How often to compare VolumeAttachments with what the driver lists as published.',
    schema: positive,
  },
  'max-entries': {
    type: 'int',
    default: 0,
    group: WORK,
    help: 'Entries in one page of ListVolumes. 0: as many as the driver likes.',
    schema: z.number().int().min(0, 'must not be negative').max(2_147_483_647, 'must fit 32 bits'),
  },
  'default-fstype': {
    type: 'string',
    default: '',
    group: WORK,
    help: 'File system to name to the driver when the PersistentVolume names none.',
  },
  'max-grpc-log-length': {
    type: 'int',
    default: -1,
    help: 'How many characters of an answer of the driver are logged, at level 5. 0 and less: all.',
  },
});
