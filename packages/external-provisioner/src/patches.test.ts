import { describe, expect, it } from 'vitest';
import { annotations } from './names.ts';
import { removeFinalizersPatch, unselectNodePatch } from './patches.ts';
import { claimOf, volumeOf } from './testing/objects.ts';

const sameObject = { op: 'test', path: '/metadata/uid', value: 'uid-pvc-uid-data' };

describe('removeFinalizersPatch', () => {
  it('removes from the end, each removal guarded', () => {
    expect(removeFinalizersPatch(volumeOf({}, { finalizers: ['a', 'b', 'c'] }), ['c', 'a', 'z'])).toEqual({
      kind: 'json',
      operations: [
        sameObject,
        { op: 'test', path: '/metadata/finalizers/2', value: 'c' },
        { op: 'remove', path: '/metadata/finalizers/2' },
        { op: 'test', path: '/metadata/finalizers/0', value: 'a' },
        { op: 'remove', path: '/metadata/finalizers/0' },
      ],
    });
  });

  it('writes nothing when there is nothing to remove', () => {
    expect(removeFinalizersPatch(volumeOf({}, { finalizers: ['b'] }), ['a'])).toBeUndefined();
    expect(removeFinalizersPatch(volumeOf(), ['a'])).toBeUndefined();
  });
});

describe('unselectNodePatch', () => {
  it('takes back this choice and no newer one', () => {
    const claim = claimOf({}, { annotations: { [annotations.selectedNode]: 'n1' } });
    const path = '/metadata/annotations/volume.kubernetes.io~1selected-node';
    expect(unselectNodePatch(claim, 'n1')).toEqual({
      kind: 'json',
      operations: [
        { op: 'test', path: '/metadata/uid', value: 'uid-data' },
        { op: 'test', path, value: 'n1' },
        { op: 'remove', path },
      ],
    });
    expect(unselectNodePatch(claim, 'n2')).toBeUndefined();
  });
});
