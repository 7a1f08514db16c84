import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../json.ts';
import { mergeRuleOf } from './merge-rules.ts';
import { applyStrategicMerge } from './strategic-merge.ts';

interface Case {
  readonly does: string;
  readonly kind: string;
  readonly target: JsonObject;
  readonly patch: JsonObject;
  readonly result: JsonObject;
}

const cases: readonly Case[] = [
  {
    does: 'merges maps and removes by null',
    kind: 'Pod',
    target: { metadata: { labels: { a: '1', b: '2' } } },
    patch: { metadata: { labels: { b: null, c: '3' } } },
    result: { metadata: { labels: { a: '1', c: '3' } } },
  },
  {
    does: 'merges conditions by type',
    kind: 'PersistentVolumeClaim',
    target: {
      status: {
        conditions: [
          { type: 'Resizing', status: 'True', reason: 'r' },
          { type: 'Other', status: 'True' },
        ],
      },
    },
    patch: {
      status: {
        conditions: [
          { type: 'Resizing', status: 'False' },
          { type: 'New', status: 'True' },
        ],
      },
    },
    result: {
      status: {
        conditions: [
          { type: 'Resizing', status: 'False', reason: 'r' },
          { type: 'Other', status: 'True' },
          { type: 'New', status: 'True' },
        ],
      },
    },
  },
  {
    does: 'deletes an item by key',
    kind: 'PersistentVolumeClaim',
    target: { status: { conditions: [{ type: 'A' }, { type: 'B' }] } },
    patch: { status: { conditions: [{ $patch: 'delete', type: 'A' }] } },
    result: { status: { conditions: [{ type: 'B' }] } },
  },
  {
    does: 'replaces a keyed list when told to',
    kind: 'PersistentVolumeClaim',
    target: { status: { conditions: [{ type: 'A' }] } },
    patch: { status: { conditions: [{ $patch: 'replace' }, { type: 'B' }] } },
    result: { status: { conditions: [{ type: 'B' }] } },
  },
  {
    does: 'joins finalizers as a set',
    kind: 'PersistentVolume',
    target: { metadata: { finalizers: ['a/b'] } },
    patch: { metadata: { finalizers: ['a/b', 'c/d'] } },
    result: { metadata: { finalizers: ['a/b', 'c/d'] } },
  },
  {
    does: 'takes values out of a set',
    kind: 'PersistentVolume',
    target: { metadata: { finalizers: ['a/b', 'c/d', 'e/f'] } },
    patch: { metadata: { '$deleteFromPrimitiveList/finalizers': ['c/d'] } },
    result: { metadata: { finalizers: ['a/b', 'e/f'] } },
  },
  {
    does: 'orders a set as the client has it, others in their places',
    kind: 'PersistentVolume',
    target: { metadata: { finalizers: ['a/b', 'server/own', 'c/d'] } },
    patch: { metadata: { '$setElementOrder/finalizers': ['c/d', 'a/b'] } },
    result: { metadata: { finalizers: ['c/d', 'server/own', 'a/b'] } },
  },
  {
    does: 'orders a keyed list',
    kind: 'CSINode',
    target: {
      spec: {
        drivers: [
          { name: 'a', nodeID: '1' },
          { name: 'b', nodeID: '2' },
        ],
      },
    },
    patch: {
      spec: {
        '$setElementOrder/drivers': [{ name: 'b' }, { name: 'c' }, { name: 'a' }],
        drivers: [{ name: 'c', nodeID: '3' }],
      },
    },
    result: {
      spec: {
        drivers: [
          { name: 'b', nodeID: '2' },
          { name: 'c', nodeID: '3' },
          { name: 'a', nodeID: '1' },
        ],
      },
    },
  },
  {
    does: 'merges lists in items of lists',
    kind: 'Pod',
    target: {
      spec: {
        containers: [
          {
            name: 'c',
            env: [
              { name: 'A', value: '1' },
              { name: 'B', value: '2' },
            ],
            args: ['x'],
          },
        ],
      },
    },
    patch: { spec: { containers: [{ name: 'c', env: [{ name: 'B', value: '3' }], args: ['y'] }] } },
    result: {
      spec: {
        containers: [
          {
            name: 'c',
            env: [
              { name: 'A', value: '1' },
              { name: 'B', value: '3' },
            ],
            args: ['y'],
          },
        ],
      },
    },
  },
  {
    does: 'drops what a union no longer has',
    kind: 'Pod',
    target: { spec: { volumes: [{ name: 'v', emptyDir: {} }] } },
    patch: { spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/' } }] } },
    result: { spec: { volumes: [{ name: 'v', hostPath: { path: '/' } }] } },
  },
  {
    does: 'replaces a list that has no rule',
    kind: 'PersistentVolumeClaim',
    target: { spec: { accessModes: ['ReadWriteOnce'] } },
    patch: { spec: { accessModes: ['ReadOnlyMany'] } },
    result: { spec: { accessModes: ['ReadOnlyMany'] } },
  },
  {
    does: 'replaces a map when told to, and empties it',
    kind: 'ConfigMap',
    target: { data: { a: '1' }, binaryData: { b: '2' } },
    patch: { data: { $patch: 'replace', c: '3' }, binaryData: { $patch: 'delete' } },
    result: { data: { c: '3' }, binaryData: {} },
  },
  {
    does: 'keeps no directive in what it adds',
    kind: 'Pod',
    target: {},
    patch: { spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'emptyDir'], emptyDir: {} }] } },
    result: { spec: { volumes: [{ name: 'v', emptyDir: {} }] } },
  },
];

describe('a strategic merge', () => {
  it.each(cases)('$does', ({ kind, target, patch, result }) => {
    const before = structuredClone(target);
    expect(applyStrategicMerge(target, patch, mergeRuleOf(kind))).toEqual(result);
    expect(target).toEqual(before);
  });

  it.each([
    [{ metadata: { $patch: 'explode' } }, 'Unknown patch type'],
    [{ metadata: { finalizers: null, '$setElementOrder/finalizers': 'x' } }, 'is not a list'],
    [{ status: { conditions: ['x'] } }, 'is not an object'],
    [{ status: { conditions: [{ status: 'True' }] } }, 'does not contain declared merge key: type'],
  ])('refuses %j', (patch, why) => {
    expect(() => applyStrategicMerge({}, patch, mergeRuleOf('PersistentVolumeClaim'))).toThrow(why);
  });
});
