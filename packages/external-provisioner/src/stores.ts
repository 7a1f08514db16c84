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
  type CSIStorageCapacity,
  csiNodes,
  csiStorageCapacities,
  type KubeClient,
  type Node,
  nodes,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  type StorageClass,
  storageClasses,
  type VolumeAttachment,
  type VolumeAttributesClass,
  volumeAttachments,
  volumeAttributesClasses,
} from '@holdfast/kube';
import { keptForTranslation } from '@holdfast/migration';
import { pairOf } from './capacity/capacity-controller.ts';
import { pairKey } from './capacity/segments.ts';
import { classNameOf } from './decide.ts';
import type { DriverTraits } from './driver-traits.ts';
import { annotations, CLONE_SOURCE_FINALIZER } from './names.ts';
import { sourceKeyOf } from './source-ref.ts';
import { type VolumeNaming, volumeNameFor } from './volume-name.ts';

export interface Stores {
  /**
   * Indexes: `uid`; and of claims without a volume `class`, `attributesClass`, `volumeName` (the name their volume gets) and
   * `source` (what it is filled from).
   */
  readonly claims: Store<PersistentVolumeClaim>;
  readonly volumes: Store<PersistentVolume>;
  readonly classes: Store<StorageClass>;
  /** Index `volume`: the attachments of one PersistentVolume. Empty for a driver that attaches nothing. */
  readonly attachments: Store<VolumeAttachment>;
  /** Empty for a driver without topology, as is `csiNodes`. */
  readonly nodes: Store<Node>;
  readonly csiNodes: Store<CSINode>;
  /** Ours, by index `pair`; empty without `--enable-capacity`. */
  readonly capacities: Store<CSIStorageCapacity>;
  /** Empty for a driver that modifies nothing. */
  readonly attributesClasses: Store<VolumeAttributesClass>;
}

export interface Caches extends ReflectorGroup {
  readonly stores: Stores;
}

/** The caches of one provisioner. Only what is read is kept: at 10,000 claims the rest would be most of the memory. */
export function createCaches(deps: {
  client: KubeClient;
  createReflector: CreateReflector;
  driver: DriverTraits;
  naming: VolumeNaming;
  hasAttributesClasses: boolean;
  /** The provisioner serves one node: others need not be known, and a volume's affinity says whose it is. */
  isOnNode: boolean;
  /** Capacity is told of the places of nodes, and asked anew where a volume came or went. */
  capacity?: { namespace: string; labels: Readonly<Record<string, string>> } | undefined;
  log: Logger;
}): Caches {
  const { client, createReflector, driver, naming, log } = deps;
  const ofAttributesClasses = createReflector({ client, log, resource: volumeAttributesClasses });
  const claims = createReflector({
    client,
    log,
    resource: persistentVolumeClaims,
    project: projectClaim,
    indexes: {
      uid: (claim) => [claim.metadata.uid],
      class: (claim) => (claim.spec?.volumeName ? [] : [classNameOf(claim)]),
      attributesClass: ({ spec }) => (spec?.volumeName ? [] : [spec?.volumeAttributesClassName ?? '']),
      source: (claim) => (claim.spec?.volumeName ? [] : [sourceKeyOf(claim) ?? '']),
      volumeName: (claim) => (claim.spec?.volumeName ? [] : [volumeNameFor(claim.metadata.uid, naming)]),
    },
  });
  const volumes = createReflector({
    client,
    log,
    resource: persistentVolumes,
    project: (volume) => projectVolume(volume, driver, deps.isOnNode || deps.capacity !== undefined),
  });
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
  const ofNodes = createReflector({ client, log, resource: nodes, project: projectNode });
  const ofCsiNodes = createReflector({
    client,
    log,
    resource: csiNodes,
    project: (csiNode) => projectCsiNode(csiNode, driver.driverName),
  });
  const ofCapacities = createReflector({
    client,
    log,
    resource: csiStorageCapacities,
    ...(deps.capacity ? { namespace: deps.capacity.namespace, labelSelector: selectorOf(deps.capacity.labels) } : {}),
    indexes: { pair: (object) => [pairKey(pairOf(object))] },
  });
  const group = groupReflectors({
    claims,
    volumes,
    classes,
    ...(driver.hasAttachments ? { attachments } : {}),
    ...(deps.capacity ? { capacities: ofCapacities } : {}),
    ...((driver.hasTopology || deps.capacity) && !deps.isOnNode ? { nodes: ofNodes, csiNodes: ofCsiNodes } : {}),
  });
  return {
    stores: {
      claims: claims.store,
      volumes: volumes.store,
      classes: classes.store,
      attachments: attachments.store,
      nodes: ofNodes.store,
      csiNodes: ofCsiNodes.store,
      attributesClasses: ofAttributesClasses.store,
      capacities: ofCapacities.store,
    },
    ...group,
    // Not waited for: roles written for the Go sidecar may not grant to list them, and then each is read when it is needed.
    tasks: {
      ...group.tasks,
      ...(driver.canModifyVolumes && deps.hasAttributesClasses
        ? { 'cache of attributesClasses': ofAttributesClasses.run }
        : {}),
    },
  };
}

/**
 * A claim that has its volume only needs to be known as such. An open one is kept whole: class templates may use any
 * annotation.
 */
function projectClaim(claim: PersistentVolumeClaim): PersistentVolumeClaim {
  const { spec } = claim;
  if (spec?.volumeName) {
    const head = projectHead(claim);
    const isCloned = claim.metadata.finalizers?.includes(CLONE_SOURCE_FINALIZER) ?? false;
    const metadata = isCloned ? { ...head.metadata, finalizers: [CLONE_SOURCE_FINALIZER] } : head.metadata;
    return { ...head, metadata, spec: { volumeName: spec.volumeName } };
  }
  return {
    ...projectHead(claim, { annotations: Object.keys(claim.metadata.annotations ?? {}) }),
    ...pick(claim, 'spec'),
  };
}

const volumeAnnotations = [
  annotations.provisionedBy,
  annotations.migratedTo,
  annotations.deletionSecretName,
  annotations.deletionSecretNamespace,
];

function projectVolume(volume: PersistentVolume, { plugin }: DriverTraits, hasAffinity: boolean): PersistentVolume {
  const { spec, status } = volume;
  const kept = keptForTranslation(plugin, volume);
  const { hasLabels } = kept;
  return {
    ...projectHead(volume, {
      annotations: [...volumeAnnotations, ...kept.annotations],
      hasLabels,
      hasFinalizers: true,
    }),
    spec: {
      ...kept.spec,
      ...pick(spec, 'claimRef', 'persistentVolumeReclaimPolicy', 'storageClassName'),
      ...(hasAffinity ? pick(spec, 'nodeAffinity') : {}),
      ...(spec?.csi ? { csi: { driver: spec.csi.driver, volumeHandle: spec.csi.volumeHandle } } : {}),
    },
    status: pick(status, 'phase'),
  };
}

function projectAttachment(attachment: VolumeAttachment): VolumeAttachment {
  const { attacher, nodeName, source } = attachment.spec;
  return {
    ...projectHead(attachment),
    spec: { attacher, nodeName, source: pick(source, 'persistentVolumeName') },
  };
}

function projectNode(node: Node): Node {
  return projectHead(node, { hasLabels: true });
}

function selectorOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

function projectCsiNode(csiNode: CSINode, driverName: string): CSINode {
  return {
    ...projectHead(csiNode),
    spec: { drivers: (csiNode.spec?.drivers ?? []).filter(({ name }) => name === driverName) },
  };
}
