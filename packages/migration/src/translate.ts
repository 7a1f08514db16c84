import type { Draft, PersistentVolume, StorageClass } from '@holdfast/kube';
import { awsEbs } from './aws-ebs.ts';
import { azureDisk } from './azure-disk.ts';
import { azureFile } from './azure-file.ts';
import { cinder } from './cinder.ts';
import { gcePd } from './gce-pd.ts';
import {
  csiOf,
  type InlineVolume,
  type InTreePlugin,
  MigrationError,
  type VolumeParts,
  type VolumeSpec,
} from './plugin.ts';
import { portworx } from './portworx.ts';
import { vsphere } from './vsphere.ts';

/** Those of k8s.io/csi-translation-lib. */
export const plugins: readonly InTreePlugin[] = [awsEbs, azureDisk, azureFile, cinder, gcePd, portworx, vsphere];

/** The plug-in whose place a driver took; undefined for nearly every driver, which then has nothing to do with any of this. */
export function pluginOfDriver(driverName: string): InTreePlugin | undefined {
  return plugins.find((plugin) => plugin.driverName === driverName);
}

/** The plug-in that a class names as its provisioner. */
export function pluginOfProvisioner(provisioner: string): InTreePlugin | undefined {
  return plugins.find(({ inTreeName }) => inTreeName === provisioner);
}

export function pluginOfSpec(spec: VolumeSpec | undefined): InTreePlugin | undefined {
  return spec && plugins.find(({ field }) => spec[field] !== undefined);
}

/**
 * A PersistentVolume of the plug-in with a CSI source. Its other fields stay.
 * @throws MigrationError that names the volume
 */
export function volumeToCsi(plugin: InTreePlugin, volume: PersistentVolume): PersistentVolume {
  if (volume.spec?.[plugin.field] === undefined) {
    throw new MigrationError(`PersistentVolume "${volume.metadata.name}" has no ${plugin.field}`);
  }
  return naming(volume.metadata.name, () => withParts(volume, plugin.toCsi(partsOf(volume))));
}

/**
 * The handle by which the driver knows a volume of the plug-in.
 * @throws MigrationError that names the volume
 */
export function handleInCsi(plugin: InTreePlugin, volume: Draft<PersistentVolume>): string {
  return naming(volume.metadata.name ?? '', () => csiOf(plugin.toCsi(partsOf(volume))).volumeHandle);
}

/**
 * The PersistentVolume of a driver's volume as the plug-in would have written it.
 * @throws MigrationError that names the volume
 */
export function volumeToInTree(plugin: InTreePlugin, volume: Draft<PersistentVolume>): Draft<PersistentVolume> {
  return naming(volume.metadata.name ?? '', () => withParts(volume, plugin.toInTree(partsOf(volume))));
}

/**
 * A StorageClass of the plug-in with the driver's parameters and places.
 * @throws MigrationError that names the class
 */
export function classToCsi(plugin: InTreePlugin, storageClass: StorageClass): StorageClass {
  const { parameters: given = {}, allowedTopologies: places, ...rest } = storageClass;
  try {
    const { parameters, allowedTopologies } = plugin.classToCsi({ parameters: given, allowedTopologies: places });
    return {
      ...rest,
      parameters: { ...parameters },
      ...(allowedTopologies === undefined ? {} : { allowedTopologies }),
    };
  } catch (error) {
    throw named(`StorageClass "${storageClass.metadata.name}"`, error);
  }
}

/**
 * A volume that stands in a pod, as the PersistentVolume it would be.
 * @throws MigrationError
 */
export function inlineVolumeToCsi(volume: InlineVolume, podNamespace: string): Draft<PersistentVolume> {
  const plugin = plugins.find(({ field }) => volume[field] !== undefined);
  if (plugin === undefined) throw new MigrationError(`volume "${volume.name}" is of no in-tree plug-in that migrates`);
  const draft = plugin.inlineToCsi(volume, podNamespace);
  // An API server puts this default on PersistentVolumes alone.
  return { ...draft, spec: { volumeMode: 'Filesystem', ...draft.spec } };
}

/** @throws MigrationError */
export function repairVolumeHandle(plugin: InTreePlugin, volumeHandle: string, nodeId: string): string {
  return plugin.repairHandle?.(volumeHandle, nodeId) ?? volumeHandle;
}

function partsOf({ metadata, spec }: Draft<PersistentVolume>): VolumeParts {
  const { name = '', labels = {}, annotations = {} } = metadata;
  return { name, labels, annotations, spec: spec ?? {} };
}

function withParts<V extends Draft<PersistentVolume>>(volume: V, { labels, annotations, spec }: VolumeParts) {
  return {
    ...volume,
    metadata: {
      ...volume.metadata,
      ...(Object.keys(labels).length === 0 ? {} : { labels: { ...labels } }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations: { ...annotations } }),
    },
    spec,
  };
}

function naming<R>(volumeName: string, translate: () => R): R {
  try {
    return translate();
  } catch (error) {
    throw named(`PersistentVolume "${volumeName}"`, error);
  }
}

function named(what: string, error: unknown): unknown {
  if (!(error instanceof MigrationError)) return error;
  return new MigrationError(`${what} cannot be translated: ${error.message}`, { cause: error });
}
