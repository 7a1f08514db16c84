import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalizeUnixAddress } from './index.ts';

test.each([
  ['/csi/csi.sock', '/csi/csi.sock'],
  ['unix:/csi/csi.sock', '/csi/csi.sock'],
  ['unix:///csi/csi.sock', '/csi/csi.sock'],
  ['//csi/./csi.sock', '/csi/csi.sock'],
  ['/csi/a:b.sock', '/csi/a:b.sock'],
])('%s is %s', (address, expected) => {
  expect(normalizeUnixAddress(address)).toBe(expected);
});

test.each([
  ['', 'names no socket'],
  ['unix://', 'names no socket'],
  ['tcp://127.0.0.1:9000', 'is not a unix socket'],
  ['dns:///driver', 'is not a unix socket'],
  ['csi.sock', 'is not an absolute path'],
  ['unix://csi.sock', 'is not an absolute path'],
  ['@abstract', 'is not an absolute path'],
  ['/csi/\0.sock', 'control characters'],
])('%j is refused: %s', (address, reason) => {
  expect(() => normalizeUnixAddress(address)).toThrow(reason);
});

test('a path is measured in bytes, and 107 is the most', () => {
  expect(normalizeUnixAddress(`/${'x'.repeat(106)}`)).toHaveLength(107);
  expect(() => normalizeUnixAddress(`/${'x'.repeat(107)}`)).toThrow('108 bytes, but the system takes at most 107');
  expect(() => normalizeUnixAddress(`/${'ü'.repeat(54)}`)).toThrow('109 bytes');
});

test('any text gives an absolute path that fits, or an error', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `unix:///${text}`),
      ),
      (text) => {
        try {
          expect(normalizeUnixAddress(text)).toMatch(/^\/[^\0]{0,106}$/);
        } catch (error) {
          expect(error).toHaveProperty('message', expect.stringMatching(/address|socket path/));
        }
      },
    ),
  );
});
