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
  type KubeClient,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  type VolumeAttributesClass,
  volumeAttributesClasses,
} from '@holdfast/kube';
import { isOfPlugin, keptForTranslation } from '@holdfast/migration';
import { recordedClass, wantedClass } from './decide-modify.ts';
import type { DriverTraits } from './driver-traits.ts';
import { annotations } from './names.ts';

export interface Stores {
  /** Indexes: `volume`, the claims that name a PersistentVolume; `class`, those that ask for, or are on the way to, a class. */
  readonly claims: Store<PersistentVolumeClaim>;
  readonly volumes: Store<PersistentVolume>;
  /** Empty where nothing is modified. */
  readonly classes: Store<VolumeAttributesClass>;
}

export interface Caches extends ReflectorGroup {
  readonly stores: Stores;
  /** Resolves once the classes are known. Apart from `synced`: a role that may not list them must not keep volumes from growing. */
  readonly classesSynced: Promise<void>;
}

/**
 * The caches of one resizer. Only what is read is kept.
 * @param deps.isModifying volumes are modified: classes are watched
 */
export function createCaches(deps: {
  client: KubeClient;
  createReflector: CreateReflector;
  driver: DriverTraits;
  isModifying: boolean;
  log: Logger;
}): Caches {
  const { client, createReflector, driver, isModifying, log } = deps;
  const claims = createReflector({
    client,
    log,
    resource: persistentVolumeClaims,
    project: (claim) => projectClaim(claim, driver),
    indexes: {
      volume: ({ spec }) => (spec?.volumeName ? [spec.volumeName] : []),
      class: (claim) => [...new Set([wantedClass(claim), recordedClass(claim)])].filter((name) => name !== ''),
    },
  });
  const volumes = createReflector({
    client,
    log,
    resource: persistentVolumes,
    project: (volume) => projectVolume(volume, driver),
  });
  const classes = createReflector({ client, log, resource: volumeAttributesClasses, project: projectClass });
  const { synced, tasks } = groupReflectors({ claims, volumes });
  return {
    stores: { claims: claims.store, volumes: volumes.store, classes: classes.store },
    synced,
    classesSynced: classes.synced,
    tasks: { ...tasks, ...(isModifying ? groupReflectors({ classes }).tasks : {}) },
  };
}

function projectClaim(claim: PersistentVolumeClaim, { plugin }: DriverTraits): PersistentVolumeClaim {
  const { spec, status } = claim;
  const kept = [annotations.nodeExpansionNotRequired, ...(plugin === undefined ? [] : [annotations.storageResizer])];
  return {
    ...projectHead(claim, { annotations: kept }),
    spec: { ...pick(spec, 'volumeName', 'volumeAttributesClassName'), resources: pick(spec?.resources, 'requests') },
    status: pick(
      status,
      'phase',
      'capacity',
      'allocatedResources',
      'allocatedResourceStatuses',
      'conditions',
      'currentVolumeAttributesClassName',
      'modifyVolumeStatus',
    ),
  };
}

const volumeAnnotations = [
  annotations.preResizeCapacity,
  annotations.modifySecretName,
  annotations.modifySecretNamespace,
];

type CsiSource = NonNullable<NonNullable<PersistentVolume['spec']>['csi']>;

/** Of another driver's volume only that it is one. */
function projectVolume(volume: PersistentVolume, { driverName, plugin }: DriverTraits): PersistentVolume {
  const { spec } = volume;
  const inTree = keptForTranslation(plugin, volume);
  const head = projectHead(volume, {
    annotations: [...volumeAnnotations, ...inTree.annotations],
    hasLabels: inTree.hasLabels,
  });
  const csi = spec?.csi?.driver === driverName ? spec.csi : undefined;
  if (csi === undefined && !isOfPlugin(volume, plugin)) return head;
  return {
    ...head,
    spec: {
      ...inTree.spec,
      ...(csi && { csi: projectSource(csi) }),
      ...pick(spec, 'capacity', 'claimRef', 'accessModes', 'mountOptions', 'volumeMode', 'volumeAttributesClassName'),
    },
  };
}

function projectSource(csi: CsiSource): CsiSource {
  const { driver, volumeHandle } = csi;
  return { driver, volumeHandle, ...pick(csi, 'fsType', 'controllerExpandSecretRef') };
}

function projectClass(attributesClass: VolumeAttributesClass): VolumeAttributesClass {
  const { driverName } = attributesClass;
  return { ...projectHead(attributesClass), driverName, ...pick(attributesClass, 'parameters') };
}
