import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideVolume, type VolumeStep, type VolumeView } from './decide-volume.ts';
import { annotations, VOLUME_FINALIZER } from './names.ts';
import { driverName, traits, volumeOf } from './testing/objects.ts';

function decide(view: Partial<VolumeView>): VolumeStep {
  return decideVolume({ volume: volumeOf(), attachedNodes: [], stage: undefined, ...view }, traits);
}

const deletionTimestamp = '2026-01-01T00:00:00Z';
const finalizers = [VOLUME_FINALIZER];
const retain = { persistentVolumeReclaimPolicy: 'Retain' };

describe('decideVolume', () => {
  it.each<[string, Partial<VolumeView>, VolumeStep['kind']]>([
    ['released', {}, 'delete'],
    ['released and deleted by hand', { volume: volumeOf({}, { deletionTimestamp, finalizers }) }, 'delete'],
    ['gone', { volume: undefined }, 'forget'],
    ['still attached', { attachedNodes: ['n1'] }, 'wait'],
    ['deleted by the driver', { stage: 'volumeDeleted' }, 'removeObject'],
    ['deleted altogether', { stage: 'objectDeleted' }, 'leaveToOthers'],
    ['deleted by a predecessor, held by others', { volume: volumeOf({}, { deletionTimestamp }) }, 'leaveToOthers'],
    ['failed', { volume: volumeOf({}, {}, 'Failed') }, 'ignore'],
    ['bound and unprotected', { volume: volumeOf({}, {}, 'Bound') }, 'protect'],
    ['bound and protected', { volume: volumeOf({}, { finalizers }, 'Bound') }, 'ignore'],
    [
      'bound, deleted by hand before it was protected',
      { volume: volumeOf({}, { deletionTimestamp }, 'Bound') },
      'wait',
    ],
    ['bound, deleted by hand', { volume: volumeOf({}, { deletionTimestamp, finalizers }, 'Bound') }, 'wait'],
    ['to be retained', { volume: volumeOf(retain) }, 'ignore'],
    ['to be retained after all', { volume: volumeOf(retain, { finalizers }) }, 'unprotect'],
    ['written by hand for our driver', { volume: volumeOf({}, { annotations: {} }) }, 'delete'],
    ['without a handle', { volume: volumeOf({ csi: { driver: driverName, volumeHandle: '' } }) }, 'ignore'],
    [
      'of another driver',
      { volume: volumeOf({}, { annotations: { [annotations.provisionedBy]: 'other' } }) },
      'ignore',
    ],
    [
      'of another driver, written by hand',
      { volume: volumeOf({ csi: { driver: 'other', volumeHandle: 'v' } }, { annotations: {} }) },
      'ignore',
    ],
  ])('a volume that is %s', (_, view, kind) => {
    expect(decide(view).kind).toBe(kind);
  });

  it('names the node it waits for', () => {
    expect(decide({ attachedNodes: ['n1', 'n2'] }).reason).toBe('still attached to n1, n2');
  });

  it('deletes nothing that is not released, not ours, to be retained or attached', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('Available', 'Bound', 'Released', 'Failed', 'Pending'),
        fc.constantFrom('Delete', 'Retain', 'Recycle'),
        fc.constantFrom(driverName, 'other'),
        fc.array(fc.constantFrom('n1', 'n2'), { maxLength: 2 }),
        fc.boolean(),
        (phase, persistentVolumeReclaimPolicy, maker, attachedNodes, isProtected) => {
          const volume = volumeOf(
            { persistentVolumeReclaimPolicy },
            { annotations: { [annotations.provisionedBy]: maker }, ...(isProtected ? { finalizers } : {}) },
            phase,
          );
          const mayDelete =
            phase === 'Released' &&
            persistentVolumeReclaimPolicy === 'Delete' &&
            maker === driverName &&
            attachedNodes.length === 0;
          expect(decide({ volume, attachedNodes }).kind === 'delete').toBe(mayDelete);
        },
      ),
    );
  });
});
