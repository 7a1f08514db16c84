import { createReflector, type Reflector, type Store } from '@holdfast/control';
import type { Clock, Logger } from '@holdfast/core';
import {
  type CSINode,
  csiNodes,
  type KubeClient,
  type PersistentVolume,
  persistentVolumes,
  type VolumeAttachment,
  volumeAttachments,
} from '@holdfast/kube';
import { MIGRATED_TO_ANNOTATION } from './names.ts';
import type { DriverTraits } from './traits.ts';

/** What the controller sees of the cluster. Cost of a look-up does not grow with it. */
export interface Caches {
  readonly attachments: Store<VolumeAttachment>;
  readonly volumes: Store<PersistentVolume>;
  /** Empty for a driver without a publish step: nothing asks for node ids then. */
  readonly csiNodes: Store<CSINode>;
  /** Every VolumeAttachment of the volume, of any driver. */
  attachmentsOfVolume(name: string): readonly VolumeAttachment[];
  attachmentsOnNode(name: string): readonly VolumeAttachment[];
  /** Rejects when `run` ends before that. */
  readonly synced: Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

export function createCaches(deps: { client: KubeClient; traits: DriverTraits; log: Logger; clock?: Clock }): Caches {
  const { traits, ...shared } = deps;
  const attachments = createReflector({
    ...shared,
    resource: volumeAttachments,
    indexes: {
      volume: ({ spec }) => (spec.source.persistentVolumeName === undefined ? [] : [spec.source.persistentVolumeName]),
      node: ({ spec }) => [spec.nodeName],
    },
  });
  const volumes = createReflector({ ...shared, resource: persistentVolumes, project: projectVolume });
  const nodes = createReflector({ ...shared, resource: csiNodes, project: (node) => projectNode(node, traits) });
  const reflectors: Reflector<unknown>[] = traits.canPublish ? [attachments, volumes, nodes] : [attachments, volumes];

  const synced = Promise.all(reflectors.map((reflector) => reflector.synced)).then(() => {});
  // A standby that stops before its caches are complete has nobody who waits for them.
  synced.catch(() => {});

  return {
    attachments: attachments.store,
    volumes: volumes.store,
    csiNodes: nodes.store,
    attachmentsOfVolume: (name) => attachments.store.byIndex('volume', name),
    attachmentsOnNode: (name) => attachments.store.byIndex('node', name),
    synced,
    async run(signal) {
      await Promise.all(reflectors.map((reflector) => reflector.run(signal)));
    },
  };
}

function projectVolume(volume: PersistentVolume): PersistentVolume {
  const { metadata, spec } = volume;
  const migratedTo = metadata.annotations?.[MIGRATED_TO_ANNOTATION];
  return {
    metadata: {
      name: metadata.name,
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      creationTimestamp: metadata.creationTimestamp,
      ...(metadata.deletionTimestamp === undefined ? {} : { deletionTimestamp: metadata.deletionTimestamp }),
      ...(metadata.finalizers === undefined ? {} : { finalizers: metadata.finalizers }),
      ...(migratedTo === undefined ? {} : { annotations: { [MIGRATED_TO_ANNOTATION]: migratedTo } }),
    },
    spec: {
      ...(spec?.csi === undefined ? {} : { csi: spec.csi }),
      ...(spec?.accessModes === undefined ? {} : { accessModes: spec.accessModes }),
      ...(spec?.mountOptions === undefined ? {} : { mountOptions: spec.mountOptions }),
      ...(spec?.volumeMode === undefined ? {} : { volumeMode: spec.volumeMode }),
    },
  };
}

function projectNode(node: CSINode, traits: DriverTraits): CSINode {
  const { name, uid, resourceVersion, creationTimestamp } = node.metadata;
  return {
    metadata: { name, uid, resourceVersion, creationTimestamp },
    spec: { drivers: node.spec.drivers?.filter((driver) => driver.name === traits.driverName) ?? [] },
  };
}
