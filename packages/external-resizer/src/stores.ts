import {
  createReflector,
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
} from '@holdfast/kube';
import type { DriverTraits } from './driver-traits.ts';
import { annotations } from './names.ts';

export interface Stores {
  /** Index `volume`: the claims that name a PersistentVolume. */
  readonly claims: Store<PersistentVolumeClaim>;
  readonly volumes: Store<PersistentVolume>;
}

export interface Caches extends ReflectorGroup {
  readonly stores: Stores;
}

/** The caches of one resizer. Only what is read is kept. */
export function createCaches(deps: { client: KubeClient; driver: DriverTraits; log: Logger }): Caches {
  const { client, driver, log } = deps;
  const claims = createReflector({
    client,
    log,
    resource: persistentVolumeClaims,
    project: projectClaim,
    indexes: {
      volume: ({ spec }) => (spec?.volumeName ? [spec.volumeName] : []),
    },
  });
  const volumes = createReflector({
    client,
    log,
    resource: persistentVolumes,
    project: (volume) => projectVolume(volume, driver.driverName),
  });
  return {
    stores: { claims: claims.store, volumes: volumes.store },
    ...groupReflectors({ claims, volumes }),
  };
}

function projectClaim(claim: PersistentVolumeClaim): PersistentVolumeClaim {
  const { spec, status } = claim;
  return {
    ...projectHead(claim, { annotations: [annotations.nodeExpansionNotRequired] }),
    spec: { ...pick(spec, 'volumeName'), resources: pick(spec?.resources, 'requests') },
    status: pick(status, 'phase', 'capacity', 'allocatedResources', 'allocatedResourceStatuses', 'conditions'),
  };
}

/** Of another driver's volume only that it is one. */
function projectVolume(volume: PersistentVolume, driverName: string): PersistentVolume {
  const { spec } = volume;
  const head = projectHead(volume, { annotations: [annotations.preResizeCapacity] });
  if (spec?.csi?.driver !== driverName) return head;
  const { driver, volumeHandle } = spec.csi;
  return {
    ...head,
    spec: {
      csi: { driver, volumeHandle, ...pick(spec.csi, 'fsType', 'controllerExpandSecretRef') },
      ...pick(spec, 'capacity', 'claimRef', 'accessModes', 'mountOptions', 'volumeMode'),
    },
  };
}
