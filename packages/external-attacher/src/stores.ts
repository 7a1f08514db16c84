import {
  type CreateReflector,
  groupReflectors,
  pick,
  projectHead,
  type ReflectorGroup,
  type Store,
} from '@holdfast/control';
import type { Logger } from '@holdfast/core';
import {
  type CSINode,
  csiNodes,
  type KubeClient,
  type PersistentVolume,
  persistentVolumes,
  type VolumeAttachment,
  volumeAttachments,
} from '@holdfast/kube';
import { keptForTranslation } from '@holdfast/migration';
import type { DriverTraits } from './driver-traits.ts';
import { annotations } from './names.ts';

export interface Stores {
  /** Of all drivers. Indexes: `volume`, the PersistentVolume's name, and `node`. */
  readonly attachments: Store<VolumeAttachment>;
  readonly volumes: Store<PersistentVolume>;
  /** Empty for a driver without a publish step: nothing asks for node ids then. */
  readonly csiNodes: Store<CSINode>;
}

export interface Caches extends ReflectorGroup {
  readonly stores: Stores;
}

/** The caches of one attacher. Of volumes and nodes only what is read is kept. */
export function createCaches(deps: {
  client: KubeClient;
  createReflector: CreateReflector;
  driver: DriverTraits;
  log: Logger;
}): Caches {
  const { client, createReflector, driver, log } = deps;
  const attachments = createReflector({
    client,
    log,
    resource: volumeAttachments,
    indexes: {
      volume: ({ spec }) => (spec.source.persistentVolumeName ? [spec.source.persistentVolumeName] : []),
      node: ({ spec }) => [spec.nodeName],
    },
  });
  const volumes = createReflector({
    client,
    log,
    resource: persistentVolumes,
    project: (volume) => projectVolume(volume, driver),
  });
  const ofCsiNodes = createReflector({
    client,
    log,
    resource: csiNodes,
    project: (csiNode) => projectCsiNode(csiNode, driver.driverName),
  });
  return {
    stores: { attachments: attachments.store, volumes: volumes.store, csiNodes: ofCsiNodes.store },
    ...groupReflectors({ attachments, volumes, ...(driver.canPublish ? { csiNodes: ofCsiNodes } : {}) }),
  };
}

function projectVolume(volume: PersistentVolume, { plugin }: DriverTraits): PersistentVolume {
  const kept = keptForTranslation(plugin, volume);
  const { hasLabels } = kept;
  return {
    ...projectHead(volume, {
      annotations: [annotations.migratedTo, ...kept.annotations],
      hasLabels,
      hasFinalizers: true,
    }),
    spec: { ...kept.spec, ...pick(volume.spec, 'csi', 'accessModes', 'mountOptions', 'volumeMode') },
  };
}

function projectCsiNode(csiNode: CSINode, driverName: string): CSINode {
  return {
    ...projectHead(csiNode),
    spec: { drivers: (csiNode.spec?.drivers ?? []).filter(({ name }) => name === driverName) },
  };
}
