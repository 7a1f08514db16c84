import * as fc from 'fast-check';
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

  it('passes on what any map of strings says outside of the reserved names, in its order', () => {
    const key = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('constructor', 'toString', 'csi.storage', '10', '2'),
    );
    const own = key.filter((each) => !each.startsWith('csi.storage.k8s.io/') && each !== '__proto__');
    fc.assert(
      fc.property(fc.array(fc.tuple(own, fc.string({ unit: 'binary' })), { maxLength: 5 }), (entries) => {
        const parameters = Object.fromEntries(entries);
        expect(Object.entries(driverParameters(parameters))).toEqual(Object.entries(parameters));
      }),
    );
  });

  it('refuses a key that no map in JavaScript keeps', () => {
    expect(() => driverParameters(JSON.parse('{"__proto__":"x","tier":"gold"}'))).toThrow('class parameter __proto__');
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
