import type { Draft, PersistentVolume, PersistentVolumeClaim, StorageClass } from '@holdfast/kube';
import { classToCsi, handleInCsi, isOfPlugin, MigrationError, volumeToCsi } from '@holdfast/migration';
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

/**
 * Whether the PersistentVolume that stands in the way of a draft is of the same volume. Sources of a plug-in are compared by the
 * handles they come to: an API server adds defaults to what was written, such as the caching mode of an Azure disk.
 */
export function isOfSameVolume(
  existing: PersistentVolume,
  draft: Draft<PersistentVolume>,
  { plugin }: Pick<Driver, 'plugin'>,
): boolean {
  if (plugin === undefined || draft.spec?.[plugin.field] === undefined) {
    const [ours, theirs] = [draft.spec?.csi, existing.spec?.csi];
    return theirs?.driver === ours?.driver && theirs?.volumeHandle === ours?.volumeHandle;
  }
  if (!isOfPlugin(existing, plugin)) return false;
  const handle = translated(() => handleInCsi(plugin, existing));
  return 'value' in handle && handle.value === handleInCsi(plugin, draft);
}
