import { describe, expect, it } from 'vitest';
import { driverParameters, fsTypeOf } from './class-parameters.ts';

describe('driverParameters', () => {
  it('keeps the driver’s own and the deprecated ones, and takes the reserved ones out', () => {
    expect(
      driverParameters({
        tier: 'gold',
        fstype: 'xfs',
        csiNodeStageSecretName: 's',
        'csi.storage.k8s.io/fstype': 'ext4',
        'csi.storage.k8s.io/controller-modify-secret-name': 's',
        'csi.storage.k8s.io/secret-namespace': 'n',
      }),
    ).toEqual({ tier: 'gold', fstype: 'xfs', csiNodeStageSecretName: 's' });
  });

  it('refuses a reserved one it does not know, by name', () => {
    expect(() => driverParameters({ 'csi.storage.k8s.io/fsType': 'ext4' })).toThrow('csi.storage.k8s.io/fsType');
  });
});

describe('fsTypeOf', () => {
  it.each([
    [{ 'csi.storage.k8s.io/fstype': 'xfs' }, 'xfs'],
    [{ FSType: 'btrfs' }, 'btrfs'],
    [{}, 'ext4'],
    [{ 'csi.storage.k8s.io/fstype': '' }, ''],
  ])('reads %j as %j', (parameters, fsType) => {
    expect(fsTypeOf(parameters, 'ext4')).toBe(fsType);
  });

  it('refuses two that may differ', () => {
    expect(() => fsTypeOf({ fsType: 'xfs', 'csi.storage.k8s.io/fstype': 'xfs' }, '')).toThrow(
      'all name the file system',
    );
  });
});
