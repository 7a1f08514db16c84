import type { Node } from '@holdfast/kube';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextTaints, unknownConditions } from './decide.ts';

type Taints = NonNullable<NonNullable<Node['spec']>['taints']>;

const nowMs = Date.UTC(2026, 0, 2);
const node = (conditions: Record<string, string>, spec: Node['spec'] = {}): Node => ({
  metadata: { name: 'a', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec,
  status: {
    conditions: Object.entries(conditions).map(([type, status]) => ({
      type,
      status,
      lastHeartbeatTime: '2026-01-01T12:00:00Z',
    })),
  },
});
const short = (taints: readonly Taints[number][] | undefined) => taints?.map(({ key, effect }) => `${key}:${effect}`);

describe('the conditions of a silent node', () => {
  it('become Unknown, with the time of the last word kept', () => {
    const changed = unknownConditions(node({ Ready: 'True', MemoryPressure: 'False' }), nowMs);
    expect(
      changed?.map(({ type, status, reason, lastHeartbeatTime }) => [type, status, reason, lastHeartbeatTime]),
    ).toEqual([
      ['Ready', 'Unknown', 'NodeStatusUnknown', '2026-01-01T12:00:00Z'],
      ['MemoryPressure', 'Unknown', 'NodeStatusUnknown', '2026-01-01T12:00:00Z'],
      ['DiskPressure', 'Unknown', 'NodeStatusNeverUpdated', '2026-01-01T00:00:00Z'],
      ['PIDPressure', 'Unknown', 'NodeStatusNeverUpdated', '2026-01-01T00:00:00Z'],
    ]);
  });

  it('are left alone once they say so', () => {
    const all = { Ready: 'Unknown', MemoryPressure: 'Unknown', DiskPressure: 'Unknown', PIDPressure: 'Unknown' };
    expect(unknownConditions(node(all), nowMs)).toBeUndefined();
  });
});

describe('the taints of a node', () => {
  const foreign = { key: 'mine', effect: 'NoSchedule' };
  it.each([
    ['ready', { Ready: 'True' }, {}, undefined],
    ['never heard of', {}, {}, undefined],
    [
      'not ready',
      { Ready: 'False' },
      {},
      ['node.kubernetes.io/not-ready:NoSchedule', 'node.kubernetes.io/not-ready:NoExecute'],
    ],
    [
      'silent',
      { Ready: 'Unknown' },
      {},
      ['node.kubernetes.io/unreachable:NoSchedule', 'node.kubernetes.io/unreachable:NoExecute'],
    ],
    ['full', { Ready: 'True', DiskPressure: 'True' }, {}, ['node.kubernetes.io/disk-pressure:NoSchedule']],
    ['cordoned', { Ready: 'True' }, { unschedulable: true }, ['node.kubernetes.io/unschedulable:NoSchedule']],
    [
      'back',
      { Ready: 'True' },
      { taints: [foreign, { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }] },
      ['mine:NoSchedule'],
    ],
    [
      'out of service',
      { Ready: 'True' },
      { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] },
      undefined,
    ],
  ])('that is %s', (_what, conditions, spec, taints) => {
    expect(short(nextTaints(node(conditions, spec), true, nowMs))).toEqual(taints);
  });

  it('evict nobody while no node at all is ready', () => {
    const gone = node({ Ready: 'Unknown' });
    expect(short(nextTaints(gone, false, nowMs))).toEqual(['node.kubernetes.io/unreachable:NoSchedule']);
    const tainted = node({ Ready: 'Unknown' }, { taints: [...(nextTaints(gone, true, nowMs) ?? [])] });
    expect(short(nextTaints(tainted, false, nowMs))).toEqual(['node.kubernetes.io/unreachable:NoSchedule']);
  });

  it('come to rest after one write, and those of others stay', () => {
    const status = fc.constantFrom('True', 'False', 'Unknown');
    const taint = fc.record({
      key: fc.constantFrom(
        'mine',
        'node.kubernetes.io/unreachable',
        'node.kubernetes.io/not-ready',
        'node.kubernetes.io/out-of-service',
      ),
      effect: fc.constantFrom('NoSchedule', 'NoExecute', 'PreferNoSchedule'),
    });
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('Ready', 'MemoryPressure', 'DiskPressure'), status),
        fc.uniqueArray(taint, { selector: ({ key, effect }) => `${key}:${effect}` }),
        fc.boolean(),
        fc.boolean(),
        (conditions, taints, unschedulable, isAnyReady) => {
          const next = nextTaints(node(conditions, { taints, unschedulable }), isAnyReady, nowMs);
          if (next === undefined) return;
          expect(nextTaints(node(conditions, { taints: [...next], unschedulable }), isAnyReady, nowMs)).toBeUndefined();
          const foreign = taints.filter(({ key, effect }) => key === 'mine' || effect === 'PreferNoSchedule');
          expect(next).toEqual(expect.arrayContaining(foreign));
        },
      ),
    );
  });
});
