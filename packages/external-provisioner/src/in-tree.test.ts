import { pluginOfDriver } from '@holdfast/migration';
import { expect, test } from 'vitest';
import { isAskedOf, isOfSameVolume } from './in-tree.ts';
import { annotations } from './names.ts';
import { claimOf, driverName, volumeOf } from './testing/objects.ts';

const driver = { driverName, plugin: pluginOfDriver('disk.csi.azure.com') };
const uri = (name: string) => `/subscriptions/1/resourceGroups/rg/providers/Microsoft.Compute/disks/${name}`;
const diskOf = (name: string, more: object = {}) =>
  volumeOf({ azureDisk: { diskName: name, diskURI: uri(name), kind: 'Managed', ...more } });

test('what an API server adds to a stored source does not make it another volume', () => {
  const stored = diskOf('one', { cachingMode: 'ReadWrite', fsType: 'ext4' });
  expect(isOfSameVolume(stored, diskOf('one'), driver)).toBe(true);
  expect(isOfSameVolume(stored, diskOf('two'), driver)).toBe(false);
});

test.each([
  ['of the driver itself', volumeOf({ csi: { driver: driverName, volumeHandle: uri('one') } })],
  ['that cannot be translated', diskOf('one', { kind: 'Dedicated' })],
])('a volume %s is not that of a plug-in’s source', (_, existing) => {
  const { csi: _csi, ...spec } = diskOf('one').spec ?? {};
  expect(isOfSameVolume(existing, { metadata: { name: 'pv' }, spec }, driver)).toBe(false);
});

test.each([
  [{ [annotations.storageProvisioner]: driverName }, true],
  [{ [annotations.betaStorageProvisioner]: driverName }, true],
  [{ [annotations.storageProvisioner]: 'kubernetes.io/azure-disk', [annotations.migratedTo]: driverName }, true],
  [{ [annotations.betaStorageProvisioner]: 'kubernetes.io/azure-disk', [annotations.migratedTo]: driverName }, true],
  [{ [annotations.storageProvisioner]: 'kubernetes.io/azure-disk' }, false],
  [{ [annotations.storageProvisioner]: 'kubernetes.io/azure-disk', [annotations.migratedTo]: 'other' }, false],
  [{ [annotations.storageProvisioner]: 'kubernetes.io/gce-pd', [annotations.migratedTo]: driverName }, false],
  [{ [annotations.migratedTo]: driverName }, false],
])('a claim with %j is asked of the driver: %j', (given, isOurs) => {
  const claim = claimOf();
  expect(isAskedOf({ ...claim, metadata: { ...claim.metadata, annotations: given } }, driver)).toBe(isOurs);
});
