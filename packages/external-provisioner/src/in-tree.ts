import { isDeepStrictEqual } from 'node:util';
import type { Draft, PersistentVolume, PersistentVolumeClaim, StorageClass } from '@holdfast/kube';
import { classToCsi, isOfPlugin, MigrationError, volumeToCsi } from '@holdfast/migration';
import type { DriverTraits } from './driver-traits.ts';
import { annotations } from './names.ts';

/*
 * What a driver has to do with the objects of an in-tree plug-in whose place it took. A driver without one has nothing to do
 * with them.
 */

type Driver = Pick<DriverTraits, 'driverName' | 'plugin'>;

/** Whether the claim asks for a volume of the driver: by its own name, or by the plug-in's where the cluster has migrated. */
export function isAskedOf(claim: PersistentVolumeClaim, { driverName, plugin }: Driver): boolean {
  const given = claim.metadata.annotations ?? {};
  const asked = given[annotations.storageProvisioner] ?? given[annotations.betaStorageProvisioner];
  if (asked === driverName) return true;
  return plugin !== undefined && asked === plugin.inTreeName && given[annotations.migratedTo] === driverName;
}

export function isInTreeClass({ provisioner }: StorageClass, { plugin }: Driver): boolean {
  return plugin !== undefined && provisioner === plugin.inTreeName;
}

/** The class with parameters and places as the driver wants them. @throws MigrationError */
export function classForDriver(storageClass: StorageClass, driver: Driver): StorageClass {
  const { plugin } = driver;
  return plugin && isInTreeClass(storageClass, driver) ? classToCsi(plugin, storageClass) : storageClass;
}

/** A volume with a CSI source. @throws MigrationError */
export function volumeForDriver(volume: PersistentVolume, { plugin }: Driver): PersistentVolume {
  return plugin && isOfPlugin(volume, plugin) ? volumeToCsi(plugin, volume) : volume;
}

/** The result, or why there is none. */
export function translated<T>(translate: () => T): { readonly value: T } | { readonly refusal: string } {
  try {
    return { value: translate() };
  } catch (error) {
    if (error instanceof MigrationError) return { refusal: error.message };
    throw error;
  }
}

/** Whether two PersistentVolumes are of one volume of the driver. */
export function isOfSameVolume(a: PersistentVolume, b: Draft<PersistentVolume>, { plugin }: Driver): boolean {
  const source = plugin && b.spec?.[plugin.field];
  if (plugin && source !== undefined) return isDeepStrictEqual(a.spec?.[plugin.field], source);
  const [ours, theirs] = [b.spec?.csi, a.spec?.csi];
  return theirs?.driver === ours?.driver && theirs?.volumeHandle === ours?.volumeHandle;
}
