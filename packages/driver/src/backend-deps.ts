import type { Logger } from '@holdfast/core';
import type { AccessMode, Role } from '@holdfast/driver-kit';

export interface BackendDeps {
  readonly poolDir: string;
  readonly nodeId: string;
  /** The zone from where all of its nodes reach the pool. Empty: the node alone does. */
  readonly zone: string;
  readonly role: Role;
  /** 0: no limit. */
  readonly maxVolumesPerNode: number;
  /** A cgroup v2 folder that all pods are in, for limits of volumes. Empty: there are none. */
  readonly ioCgroup: string;
  readonly log: Logger;
}

/** A volume is on one node at a time, also where a zone's nodes share the pool. */
export const singleNodeModes: readonly AccessMode[] = [
  'SINGLE_NODE_WRITER',
  'SINGLE_NODE_READER_ONLY',
  'SINGLE_NODE_SINGLE_WRITER',
  'SINGLE_NODE_MULTI_WRITER',
];

export const gibibyte = 1024n ** 3n;
