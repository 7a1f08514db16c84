import { expect, test } from 'vitest';
import { AccessModeError } from './access-modes.ts';
import { VolumeCapability_AccessMode_Mode as Mode } from './gen/csi/v1/csi.ts';
import { volumeCapabilityFor } from './volume-capability.ts';

const options = { fsType: 'xfs', hasSingleNodeMultiWriter: false };

test.each([undefined, 'Filesystem'])('a volume of mode %s is mounted, with its options', (volumeMode) => {
  expect(
    volumeCapabilityFor({ accessModes: ['ReadWriteOnce'], volumeMode, mountOptions: ['noatime'] }, options),
  ).toEqual({
    accessMode: { mode: Mode.SINGLE_NODE_WRITER },
    accessType: { $case: 'mount', value: { fsType: 'xfs', mountFlags: ['noatime'], volumeMountGroup: '' } },
  });
});

test('a block volume has neither a file system nor mount options', () => {
  const use = { accessModes: ['ReadWriteMany'], volumeMode: 'Block', mountOptions: ['noatime'] };
  expect(volumeCapabilityFor(use, options)).toEqual({
    accessMode: { mode: Mode.MULTI_NODE_MULTI_WRITER },
    accessType: { $case: 'block', value: {} },
  });
});

test('a driver that tells writers apart is asked for the finer mode', () => {
  const { accessMode } = volumeCapabilityFor(
    { accessModes: ['ReadWriteOnce'] },
    { ...options, hasSingleNodeMultiWriter: true },
  );
  expect(accessMode?.mode).toBe(Mode.SINGLE_NODE_MULTI_WRITER);
});

test('access modes without a counterpart are refused', () => {
  expect(() => volumeCapabilityFor({}, options)).toThrow(AccessModeError);
});
