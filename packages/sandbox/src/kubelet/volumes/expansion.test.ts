import type { PersistentVolume, PersistentVolumeClaim } from '@holdfast/kube';
import { describe, expect, it } from 'vitest';
import { expansionDue, expansionStatus } from './expansion.ts';

const meta = { name: 'x', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const volume: PersistentVolume = { metadata: meta, spec: { capacity: { storage: '2Gi' } } };

function claim(status: object = {}, annotations: Record<string, string> = {}): PersistentVolumeClaim {
  return { metadata: { ...meta, annotations }, status: { phase: 'Bound', capacity: { storage: '1Gi' }, ...status } };
}

const pending = (storage: string) => claim({ allocatedResourceStatuses: { storage } });

describe('expansionDue', () => {
  it.each([
    ['the resizer left it to the node', pending('NodeResizePending'), '2Gi'],
    ['it was begun before', pending('NodeResizeInProgress'), '2Gi'],
    ['the volume is larger and no status says whose turn it is', claim(), '2Gi'],
    ['the resizer is still at it', pending('ControllerResizeInProgress'), undefined],
    ['the node could not', pending('NodeResizeInfeasible'), undefined],
    ['the file system is as large already', claim({ capacity: { storage: '2048Mi' } }), undefined],
    ['the claim is not bound', claim({ phase: 'Pending' }), undefined],
    [
      'the node has nothing to do',
      claim({}, { 'volume.kubernetes.io/node-expansion-not-required': 'true' }),
      undefined,
    ],
  ])('when %s', (_, subject, expected) => {
    expect(expansionDue(subject, volume)).toBe(expected);
  });
});

describe('expansionStatus', () => {
  const conditions = [
    { type: 'Resizing', status: 'True' },
    { type: 'FileSystemResizePending', status: 'True' },
    { type: 'ModifyingVolume', status: 'True' },
  ];
  it('takes away what belongs to the expansion, and nothing else', () => {
    expect(expansionStatus(claim({ conditions }), { kind: 'grown', capacity: '2Gi' })).toEqual({
      capacity: { storage: '2Gi' },
      conditions: [{ type: 'ModifyingVolume', status: 'True' }],
      allocatedResourceStatuses: null,
    });
  });
  it('says when the size cannot be had', () => {
    expect(expansionStatus(claim(), { kind: 'infeasible', message: 'no', nowMs: 0 })).toEqual({
      conditions: [
        { type: 'NodeResizeError', status: 'True', message: 'no', lastTransitionTime: '1970-01-01T00:00:00.000Z' },
      ],
      allocatedResourceStatuses: { storage: 'NodeResizeInfeasible' },
    });
  });
});
