import { describe, expect, it } from 'vitest';
import { applyJsonPatch } from './json-patch.ts';

describe('a test for null', () => {
  const object = { metadata: { name: 'a' } };
  const add = { op: 'add', path: '/metadata/finalizers', value: ['x'] };

  it('passes where nothing is, as in the API server, so that a first finalizer can be guarded by it', () => {
    const guarded = [{ op: 'test', path: '/metadata/finalizers', value: null }, add];
    expect(applyJsonPatch(object, guarded)).toEqual({ metadata: { name: 'a', finalizers: ['x'] } });
  });

  it('fails where something is', () => {
    expect(() => applyJsonPatch(object, [{ op: 'test', path: '/metadata/name', value: null }, add])).toThrow();
  });

  it('fails where not even the parent is', () => {
    expect(() => applyJsonPatch(object, [{ op: 'test', path: '/status/phase', value: null }])).toThrow();
  });
});
