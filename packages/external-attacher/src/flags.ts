import { defineFlags, type FlagTable, type FlagValues, loggingFlags, standardFlags } from '@holdfast/sidecar';
import * as z from 'zod';

const positive = z.number().positive('must be greater than zero');

/** The flags of csi-attacher: names and defaults are upstream's (cmd/csi-attacher/main.go). */
const table = {
  ...standardFlags,
  ...loggingFlags,
  timeout: {
    type: 'duration',
    default: '15s',
    help: 'How long each call to the driver may take; for ListVolumes, all pages together.',
    schema: positive,
  },
  'worker-threads': {
    type: 'uint',
    default: 10,
    help: 'How many VolumeAttachments, and how many PersistentVolumes, are worked on at once.',
    schema: z.number().int().min(1, 'must be at least 1'),
  },
  resync: {
    type: 'duration',
    default: '10m',
    help: 'How often every VolumeAttachment and PersistentVolume is looked at again. 0: never.',
    schema: z.number().min(0, 'must not be negative'),
  },
  'retry-interval-start': {
    type: 'duration',
    default: '1s',
    help: 'How long to wait after the first failure; doubled with each further one.',
    schema: positive,
  },
  'retry-interval-max': {
    type: 'duration',
    default: '5m',
    help: 'The longest wait between two tries.',
    schema: positive,
  },
  'reconcile-sync': {
    type: 'duration',
    default: '1m',
    help: 'How often to compare VolumeAttachments with what the driver lists as published.',
    schema: positive,
  },
  'max-entries': {
    type: 'int',
    default: 0,
    help: 'Entries in one page of ListVolumes. 0: as many as the driver likes.',
    schema: z.number().int().min(0, 'must not be negative').max(2_147_483_647, 'must fit 32 bits'),
  },
  'default-fstype': {
    type: 'string',
    default: '',
    help: 'File system to name to the driver when the PersistentVolume names none.',
  },
  'max-grpc-log-length': {
    type: 'int',
    default: -1,
    help: 'Accepted, and without effect: calls are logged whole, at level 5.',
  },
  'feature-gates': {
    type: 'gates',
    help: 'Gate=true,Gate=false.',
    gates: {
      MutableCSINodeAllocatableCount: { default: true, stage: 'GA' },
      ReleaseLeaderElectionOnExit: { default: false, stage: 'alpha' },
    },
  },
} as const satisfies FlagTable;

export const flags = defineFlags(table);
export type AttacherFlags = FlagValues<typeof table>;
