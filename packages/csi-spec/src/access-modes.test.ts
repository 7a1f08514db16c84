import { describe, expect, test } from 'vitest';
import { AccessModeError, accessModeFor, VolumeCapability_AccessMode_Mode as Mode } from './index.ts';

describe('one CSI mode for the modes of a claim', () => {
  test.each([
    [['ReadWriteOnce'], Mode.SINGLE_NODE_WRITER, Mode.SINGLE_NODE_MULTI_WRITER],
    [['ReadWriteOncePod'], Mode.SINGLE_NODE_WRITER, Mode.SINGLE_NODE_SINGLE_WRITER],
    [['ReadWriteOncePod', 'ReadWriteOncePod'], Mode.SINGLE_NODE_WRITER, Mode.SINGLE_NODE_SINGLE_WRITER],
    [['ReadOnlyMany'], Mode.MULTI_NODE_READER_ONLY, Mode.MULTI_NODE_READER_ONLY],
    [['ReadWriteMany'], Mode.MULTI_NODE_MULTI_WRITER, Mode.MULTI_NODE_MULTI_WRITER],
    [['ReadOnlyMany', 'ReadWriteOnce', 'ReadWriteMany'], Mode.MULTI_NODE_MULTI_WRITER, Mode.MULTI_NODE_MULTI_WRITER],
  ])('%j', (modes, coarse, fine) => {
    expect(accessModeFor(modes, false)).toBe(coarse);
    expect(accessModeFor(modes, true)).toBe(fine);
  });
});

test.each([
  [[], 'no access mode'],
  [['ReadWriteTwice'], '"ReadWriteTwice" is unknown'],
  [['ReadWriteOncePod', 'ReadWriteMany'], 'cannot be combined'],
  [['ReadOnlyMany', 'ReadWriteOnce'], 'choose one'],
])('refuses %j', (modes, reason) => {
  expect(() => accessModeFor(modes, true)).toThrow(AccessModeError);
  expect(() => accessModeFor(modes, true)).toThrow(reason);
});
