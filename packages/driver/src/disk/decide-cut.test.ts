import type { Volume } from '@holdfast/driver-kit';
import { expect, test } from 'vitest';
import { decideCut } from './decide-cut.ts';

const unseen = { mountPoint: undefined, nodeAt: undefined, isDeviceReadOnly: false, ownNodeId: 'a' };
const on = (nodeId: string, isReadOnly = false): Pick<Volume, 'attachments'> => ({
  attachments: [{ nodeId, isReadOnly }],
});
const nowhere = { attachments: [] };

test.each([
  ['attached nowhere', nowhere, {}, 'still'],
  ['attached here and not staged', on('a'), {}, 'still'],
  ['mounted', on('a'), { mountPoint: '/m', nodeAt: '/m' }, 'freeze'],
  ['mounted, as a controller on its machine sees it', on('a'), { ownNodeId: undefined, mountPoint: '/m' }, 'freeze'],
  ['published raw', on('a'), { nodeAt: '/dev/x' }, 'live'],
  ['published raw, read-only', on('a', true), { nodeAt: '/dev/x', isDeviceReadOnly: true }, 'still'],
  ['attached to another node', on('b'), {}, 'live'],
  ['attached to another node read-only', on('b', true), {}, 'still'],
  ['attached to a node that a controller cannot see', on('a'), { ownNodeId: undefined }, 'live'],
] as const)('a volume %s', (_what, { attachments }, seen, kind) => {
  const volume: Volume = {
    id: 'v',
    name: 'v',
    capacityBytes: 1n,
    parameters: {},
    context: {},
    fsType: 'ext4',
    topology: [],
    attachments,
  };
  expect(decideCut(volume, { ...unseen, ...seen }).kind).toBe(kind);
});
