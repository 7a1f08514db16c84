import { createReflector, type Store } from '@holdfast/control';
import type { Clock, Logger } from '@holdfast/core';
import {
  type KubeClient,
  type ObjectMeta,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
} from '@holdfast/kube';
import { annotations } from './names.ts';

export interface Stores {
  /** Index `volume`: the claims that name a PersistentVolume. */
  readonly claims: Store<PersistentVolumeClaim>;
  readonly volumes: Store<PersistentVolume>;
}

export interface Caches {
  readonly stores: Stores;
  /** Resolves once every cache holds its first list. */
  readonly synced: Promise<void>;
  readonly tasks: Readonly<Record<string, (signal: AbortSignal) => Promise<void>>>;
}

/** The caches of one resizer. They run on standbys too; only what is read is kept. */
export function createCaches(deps: { client: KubeClient; driverName: string; log: Logger; clock?: Clock }): Caches {
  const { client, log, driverName } = deps;
  const shared = { client, log, ...(deps.clock ? { clock: deps.clock } : {}) };
  const claims = createReflector({
    ...shared,
    resource: persistentVolumeClaims,
    project: projectClaim,
    indexes: {
      volume: (claim) => (claim.spec?.volumeName ? [claim.spec.volumeName] : []),
    },
  });
  const volumes = createReflector({
    ...shared,
    resource: persistentVolumes,
    project: (volume) => projectVolume(volume, driverName),
  });
  return {
    stores: { claims: claims.store, volumes: volumes.store },
    synced: Promise.all([claims.synced, volumes.synced]).then(() => undefined),
    tasks: { 'cache of claims': claims.run, 'cache of volumes': volumes.run },
  };
}

function head(object: { apiVersion?: string; kind?: string; metadata: ObjectMeta }, kept: string) {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const value = object.metadata.annotations?.[kept];
  return {
    ...(object.apiVersion === undefined ? {} : { apiVersion: object.apiVersion }),
    ...(object.kind === undefined ? {} : { kind: object.kind }),
    metadata: {
      name,
      uid,
      resourceVersion,
      creationTimestamp,
      ...(namespace === undefined ? {} : { namespace }),
      ...(value === undefined ? {} : { annotations: { [kept]: value } }),
    },
  };
}

function projectClaim(claim: PersistentVolumeClaim): PersistentVolumeClaim {
  const { phase, capacity, allocatedResources, allocatedResourceStatuses, conditions } = claim.status ?? {};
  const requests = claim.spec?.resources?.requests;
  return {
    ...head(claim, annotations.nodeExpansionNotRequired),
    spec: {
      ...(claim.spec?.volumeName === undefined ? {} : { volumeName: claim.spec.volumeName }),
      ...(requests === undefined ? {} : { resources: { requests } }),
    },
    status: {
      ...(phase === undefined ? {} : { phase }),
      ...(capacity === undefined ? {} : { capacity }),
      ...(allocatedResources === undefined ? {} : { allocatedResources }),
      ...(allocatedResourceStatuses === undefined ? {} : { allocatedResourceStatuses }),
      ...(conditions === undefined ? {} : { conditions }),
    },
  };
}

/** Of another driver's volume only that it is one. */
function projectVolume(volume: PersistentVolume, driverName: string): PersistentVolume {
  const { csi, capacity, claimRef, accessModes, mountOptions, volumeMode } = volume.spec ?? {};
  if (csi?.driver !== driverName) return head(volume, annotations.preResizeCapacity);
  const { driver, volumeHandle, fsType, controllerExpandSecretRef } = csi;
  return {
    ...head(volume, annotations.preResizeCapacity),
    spec: {
      csi: {
        driver,
        volumeHandle,
        ...(fsType === undefined ? {} : { fsType }),
        ...(controllerExpandSecretRef === undefined ? {} : { controllerExpandSecretRef }),
      },
      ...(capacity === undefined ? {} : { capacity }),
      ...(claimRef === undefined ? {} : { claimRef }),
      ...(accessModes === undefined ? {} : { accessModes }),
      ...(mountOptions === undefined ? {} : { mountOptions }),
      ...(volumeMode === undefined ? {} : { volumeMode }),
    },
  };
}
