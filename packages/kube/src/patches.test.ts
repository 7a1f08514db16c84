import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KubeObject } from './object.ts';
import { addFinalizerPatch, escapeJsonPointer, type JsonPatchOperation, removeFinalizerPatch } from './patches.ts';

function object(finalizers?: string[], uid = 'u1', resourceVersion = '1'): KubeObject {
  const metadata = { name: 'a', uid, resourceVersion, creationTimestamp: '2026-01-01T00:00:00Z' };
  return { metadata: finalizers === undefined ? metadata : { ...metadata, finalizers } };
}

/** Applies the operations these builders use. */
function apply(to: KubeObject, operations: JsonPatchOperation[]): KubeObject | 'refused' {
  const metadata = structuredClone(to.metadata);
  for (const operation of operations) {
    const list = metadata.finalizers ?? [];
    const index = Number(/^\/metadata\/finalizers\/(\d+)$/.exec(operation.path)?.[1] ?? -1);
    if (operation.op === 'test' && operation.path === '/metadata/uid') {
      if (metadata.uid !== operation.value) return 'refused';
    } else if (operation.op === 'test' && operation.path === '/metadata/resourceVersion') {
      if (metadata.resourceVersion !== operation.value) return 'refused';
    } else if (operation.op === 'test' && operation.path === '/metadata/finalizers') {
      if (JSON.stringify(list) !== JSON.stringify(operation.value)) return 'refused';
    } else if (operation.op === 'test' && index >= 0) {
      if (list[index] !== operation.value) return 'refused';
    } else if (operation.op === 'add' && operation.path === '/metadata/finalizers/-') {
      if (metadata.finalizers === undefined) return 'refused';
      metadata.finalizers.push(String(operation.value));
    } else if (operation.op === 'add' && Array.isArray(operation.value)) {
      metadata.finalizers = operation.value.map(String);
    } else if (operation.op === 'remove' && index >= 0 && index < list.length) {
      list.splice(index, 1);
    } else throw new Error(`unexpected ${JSON.stringify(operation)}`);
  }
  return { metadata };
}

const operationsOf = (patch: ReturnType<typeof addFinalizerPatch>) => (patch?.kind === 'json' ? patch.operations : []);

describe('addFinalizerPatch', () => {
  test('the first finalizer makes the list, guarded by the version that had none', () => {
    expect(addFinalizerPatch(object(), 'x/y')).toEqual({
      kind: 'json',
      operations: [
        { op: 'test', path: '/metadata/resourceVersion', value: '1' },
        { op: 'add', path: '/metadata/finalizers', value: ['x/y'] },
      ],
    });
  });

  test('a further one is appended, if the list is still the same', () => {
    expect(addFinalizerPatch(object(['p']), 'x/y')).toEqual({
      kind: 'json',
      operations: [
        { op: 'test', path: '/metadata/uid', value: 'u1' },
        { op: 'test', path: '/metadata/finalizers', value: ['p'] },
        { op: 'add', path: '/metadata/finalizers/-', value: 'x/y' },
      ],
    });
  });

  test('nothing is patched when it is there', () => {
    expect(addFinalizerPatch(object(['p', 'x/y']), 'x/y')).toBeUndefined();
  });

  test('a list that appeared meanwhile is not overwritten', () => {
    expect(apply(object(['somebody'], 'u1', '2'), operationsOf(addFinalizerPatch(object(), 'x/y')))).toBe('refused');
  });
});

describe('removeFinalizerPatch', () => {
  test('nothing is patched when it is not there', () => {
    expect(removeFinalizerPatch(object(), 'x/y')).toBeUndefined();
    expect(removeFinalizerPatch(object(['p']), 'x/y')).toBeUndefined();
  });

  test('a list that moved since we read it is left alone', () => {
    const patch = removeFinalizerPatch(object(['a', 'x/y']), 'x/y');
    expect(apply(object(['x/y']), operationsOf(patch))).toBe('refused');
    expect(apply(object(['a', 'b', 'x/y']), operationsOf(patch))).toBe('refused');
  });

  test('another object of the same name is left alone', () => {
    const patch = removeFinalizerPatch(object(['x/y'], 'old'), 'x/y');
    expect(apply(object(['x/y'], 'new'), operationsOf(patch))).toBe('refused');
  });
});

test('whatever others did meanwhile, a patch changes our finalizer alone or is refused', () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'ours'), { maxLength: 4 });
  fc.assert(
    fc.property(names, names, fc.boolean(), (seen, now, isAdd) => {
      const read = object(seen.length === 0 ? undefined : seen);
      const patch = isAdd ? addFinalizerPatch(read, 'ours') : removeFinalizerPatch(read, 'ours');
      if (patch === undefined) return;
      const version = seen.join() === now.join() ? '1' : '2';
      const result = apply(object(now.length === 0 ? undefined : now, 'u1', version), operationsOf(patch));
      if (result === 'refused') return;
      const others = (list: readonly string[]) => list.filter((name) => name !== 'ours');
      expect(others(result.metadata.finalizers ?? [])).toEqual(others(now));
      expect(result.metadata.finalizers?.filter((name) => name === 'ours') ?? []).toHaveLength(isAdd ? 1 : 0);
    }),
  );
});

test('escapeJsonPointer is undone by the rule of RFC 6901', () => {
  expect(escapeJsonPointer('a/b~c')).toBe('a~1b~0c');
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(escapeJsonPointer(text).replaceAll('~1', '/').replaceAll('~0', '~')).toBe(text);
    }),
  );
});
