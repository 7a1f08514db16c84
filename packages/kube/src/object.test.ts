import { expect, test } from 'vitest';
import { objectKey, splitKey } from './object.ts';

test.each([
  [{ name: 'pv-1' }, 'pv-1'],
  [{ name: 'claim', namespace: 'ns' }, 'ns/claim'],
])('the key of %o is %s, and back', (ref, key) => {
  expect(objectKey({ metadata: ref })).toBe(key);
  expect(splitKey(key)).toEqual(ref);
});
