import { labelSelector, type Message, many, metadata, one } from './messages.ts';

const quantities = { map: 'quantity' } as const;

const dataSource: Message = { 1: one('apiGroup'), 2: one('kind'), 3: one('name') };

// Every field of the spec: one that is not read is one that a PUT takes away, and of a bound claim that is refused.
const claimSpec: Message = {
  1: many('accessModes'),
  2: one('resources', { message: () => ({ 1: one('limits', quantities), 2: one('requests', quantities) }) }),
  3: one('volumeName'),
  4: one('selector', { message: () => labelSelector }),
  5: one('storageClassName'),
  6: one('volumeMode'),
  7: one('dataSource', { message: () => dataSource }),
  8: one('dataSourceRef', { message: () => ({ ...dataSource, 4: one('namespace') }) }),
  9: one('volumeAttributesClassName'),
};

const condition: Message = {
  1: one('type'),
  2: one('status'),
  3: one('lastProbeTime', 'time'),
  4: one('lastTransitionTime', 'time'),
  5: one('reason'),
  6: one('message'),
};

const claimStatus: Message = {
  1: one('phase'),
  2: many('accessModes'),
  3: one('capacity', quantities),
  4: many('conditions', { message: () => condition }),
  5: one('allocatedResources', quantities),
  7: one('allocatedResourceStatuses', { map: 'string' }),
  8: one('currentVolumeAttributesClassName'),
  9: one('modifyVolumeStatus', {
    message: () => ({ 1: one('targetVolumeAttributesClassName'), 2: one('status') }),
  }),
};

/** By kind. The Go provisioner PUTs a whole claim to give it back to the scheduler. */
export const claimMessages: Readonly<Record<string, Message>> = {
  PersistentVolumeClaim: {
    1: metadata,
    2: one('spec', { message: () => claimSpec }),
    3: one('status', { message: () => claimStatus }),
  },
};
