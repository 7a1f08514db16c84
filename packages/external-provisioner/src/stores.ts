import { createReflector, type Reflector, type Store } from '@holdfast/control';
import type { Logger } from '@holdfast/core';
import {
  type CSINode,
  csiNodes,
  type KubeClient,
  type Node,
  nodes,
  type ObjectMeta,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  type StorageClass,
  storageClasses,
  type VolumeAttachment,
  volumeAttachments,
} from '@holdfast/kube';
import { classNameOf } from './decide.ts';
import type { DriverTraits } from './driver-traits.ts';
import { annotations } from './names.ts';
import { type VolumeNaming, volumeNameFor } from './volume-name.ts';

export interface Stores {
  /** Indexes: `uid`; and of claims without a volume `class` and `volumeName` (the name their volume gets). */
  readonly claims: Store<PersistentVolumeClaim>;
  readonly volumes: Store<PersistentVolume>;
  readonly classes: Store<StorageClass>;
  /** Index `volume`: the attachments of one PersistentVolume. Empty for a driver that attaches nothing. */
  readonly attachments: Store<VolumeAttachment>;
  readonly nodes: Store<Node>;
  readonly csiNodes: Store<CSINode>;
}

export interface Caches {
  readonly stores: Stores;
  /** Resolves once every cache that is in use holds its first list. */
  whenSynced(): Promise<void>;
  readonly tasks: Readonly<Record<string, (signal: AbortSignal) => Promise<void>>>;
}

/** The caches of one provisioner. Only what is read is kept: at 10,000 claims the rest would be most of the memory. */
export function createCaches(deps: {
  client: KubeClient;
  driver: DriverTraits;
  naming: VolumeNaming;
  log: Logger;
}): Caches {
  const { client, driver, naming, log } = deps;
  const claims = createReflector({
    client,
    log,
    resource: persistentVolumeClaims,
    project: projectClaim,
    indexes: {
      uid: (claim) => [claim.metadata.uid],
      class: (claim) => (claim.spec?.volumeName ? [] : [classNameOf(claim)]),
      volumeName: (claim) => (claim.spec?.volumeName ? [] : [volumeNameFor(claim.metadata.uid, naming)]),
    },
  });
  const volumes = createReflector({ client, log, resource: persistentVolumes, project: projectVolume });
  const classes = createReflector({ client, log, resource: storageClasses });
  const attachments = createReflector({
    client,
    log,
    resource: volumeAttachments,
    project: projectAttachment,
    indexes: {
      volume: ({ spec }) => (spec.source.persistentVolumeName ? [spec.source.persistentVolumeName] : []),
    },
  });
  const nodeCache = createReflector({ client, log, resource: nodes, project: projectNode });
  const csiNodeCache = createReflector({ client, log, resource: csiNodes, project: projectCsiNode(driver.driverName) });

  const running = new Map<string, Pick<Reflector<unknown>, 'run' | 'synced'>>([
    ['claims', claims],
    ['volumes', volumes],
    ['classes', classes],
  ]);
  if (driver.hasAttachments) running.set('attachments', attachments);
  if (driver.hasTopology) running.set('nodes', nodeCache).set('csi nodes', csiNodeCache);

  return {
    stores: {
      claims: claims.store,
      volumes: volumes.store,
      classes: classes.store,
      attachments: attachments.store,
      nodes: nodeCache.store,
      csiNodes: csiNodeCache.store,
    },
    async whenSynced() {
      await Promise.all([...running.values()].map((reflector) => reflector.synced));
    },
    tasks: Object.fromEntries([...running].map(([name, reflector]) => [`cache of ${name}`, reflector.run])),
  };
}

type Named = Pick<
  ObjectMeta,
  'name' | 'namespace' | 'uid' | 'resourceVersion' | 'creationTimestamp' | 'deletionTimestamp'
>;

function identity(metadata: ObjectMeta): Named {
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp } = metadata;
  return {
    name,
    uid,
    resourceVersion,
    creationTimestamp,
    ...(namespace === undefined ? {} : { namespace }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
  };
}

function pick(
  given: Readonly<Record<string, string>> | undefined,
  keys: readonly string[],
): { annotations?: Record<string, string> } {
  const kept = Object.entries(given ?? {}).filter(([key]) => keys.includes(key));
  return kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) };
}

/** A claim that has its volume only needs to be known as such. An open one is kept whole: class templates may use any annotation. */
function projectClaim(claim: PersistentVolumeClaim): PersistentVolumeClaim {
  const { apiVersion, kind, metadata, spec } = claim;
  const head = { ...(apiVersion === undefined ? {} : { apiVersion }), ...(kind === undefined ? {} : { kind }) };
  if (spec?.volumeName) return { ...head, metadata: identity(metadata), spec: { volumeName: spec.volumeName } };
  const given = metadata.annotations;
  return {
    ...head,
    metadata: { ...identity(metadata), ...(given ? { annotations: given } : {}) },
    ...(spec === undefined ? {} : { spec }),
  };
}

const volumeAnnotations = [
  annotations.provisionedBy,
  annotations.migratedTo,
  annotations.deletionSecretName,
  annotations.deletionSecretNamespace,
];

function projectVolume(volume: PersistentVolume): PersistentVolume {
  const { apiVersion, kind, metadata, spec } = volume;
  return {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind }),
    metadata: {
      ...identity(metadata),
      ...(metadata.finalizers ? { finalizers: metadata.finalizers } : {}),
      ...pick(metadata.annotations, volumeAnnotations),
    },
    spec: {
      ...(spec?.claimRef ? { claimRef: spec.claimRef } : {}),
      ...(spec?.csi ? { csi: { driver: spec.csi.driver, volumeHandle: spec.csi.volumeHandle } } : {}),
      ...(spec?.persistentVolumeReclaimPolicy
        ? { persistentVolumeReclaimPolicy: spec.persistentVolumeReclaimPolicy }
        : {}),
      ...(spec?.storageClassName ? { storageClassName: spec.storageClassName } : {}),
    },
    ...(volume.status?.phase ? { status: { phase: volume.status.phase } } : {}),
  };
}

function projectAttachment({ metadata, spec }: VolumeAttachment): VolumeAttachment {
  const { persistentVolumeName } = spec.source;
  return {
    metadata: identity(metadata),
    spec: {
      attacher: spec.attacher,
      nodeName: spec.nodeName,
      source: persistentVolumeName ? { persistentVolumeName } : {},
    },
  };
}

function projectNode({ metadata }: Node): Node {
  return { metadata: { ...identity(metadata), ...(metadata.labels ? { labels: metadata.labels } : {}) } };
}

function projectCsiNode(driverName: string): (csiNode: CSINode) => CSINode {
  return ({ metadata, spec }) => ({
    metadata: identity(metadata),
    spec: { drivers: (spec?.drivers ?? []).filter((driver) => driver.name === driverName) },
  });
}
