import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isObject, type JsonObject, type JsonValue, listAt, stringAt } from '../json.ts';
import { applyMergePatch } from './merge-patch.ts';
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
          { type: 'New', status: 'True' },
          { type: 'Other', status: 'True' },
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
    does: 'orders a set as the client has it, others where they stood before one of them',
    kind: 'PersistentVolume',
    target: { metadata: { finalizers: ['a/b', 'server/own', 'c/d'] } },
    patch: { metadata: { '$setElementOrder/finalizers': ['c/d', 'a/b'] } },
    result: { metadata: { finalizers: ['server/own', 'c/d', 'a/b'] } },
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

const scalar = fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), fc.constantFrom('x', 'y'));
const keys = fc.constantFrom('spec', 'data', 'a', 'b');
const tree = fc.letrec<{ node: JsonObject }>((tie) => ({
  node: fc.dictionary(keys, fc.oneof({ depthSize: 'small' }, scalar, fc.array(fc.integer()), tie('node')), {
    maxKeys: 4,
  }),
})).node;
const conditions = fc.array(
  fc.record({ type: fc.constantFrom('A', 'B', 'C'), status: fc.constantFrom('True', 'False') }),
);

describe('a strategic merge, whatever the objects', () => {
  it('is a merge patch where no list has a rule', () => {
    fc.assert(
      fc.property(tree, tree, (target, patch) => {
        const clean = applyMergePatch({}, target);
        const merged = applyStrategicMerge(asObject(clean), patch, mergeRuleOf('ConfigMap'));
        expect(merged).toEqual(applyMergePatch(clean, patch));
      }),
    );
  });

  it('says no more the second time, and keeps each key once', () => {
    fc.assert(
      fc.property(conditions, conditions, (before, after) => {
        const rule = mergeRuleOf('PersistentVolumeClaim');
        const start = applyStrategicMerge({}, { status: { conditions: before } }, rule);
        const once = applyStrategicMerge(start, { status: { conditions: after } }, rule);
        expect(applyStrategicMerge(once, { status: { conditions: after } }, rule)).toEqual(once);
        const types = listAt(once, 'status', 'conditions').map((item) => stringAt(item, 'type'));
        expect(new Set(types).size).toBe(types.length);
        expect(new Set(types)).toEqual(new Set([...before, ...after].map(({ type }) => type)));
      }),
    );
  });
});

function asObject(value: JsonValue): JsonObject {
  return isObject(value) ? value : {};
}
