import { createReflector, type Reflector, type Store } from '@holdfast/control';
import { type Clock, type Logger } from '@holdfast/core';
import {
  type CSIDriver,
  type CSINode,
  type CSIStorageCapacity,
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  type KubeClient,
  type KubeObject,
  type Lease,
  leases,
  type Namespace,
  type Node,
  namespaces,
  nodes,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  type Resource,
  type StorageClass,
  storageClasses,
  type VolumeAttachment,
  volumeAttachments,
} from '@holdfast/kube';
import { leaseNamespace } from './names.ts';
import { claimKeysOfPod } from './pod-claims.ts';
import { serviceAccounts } from './service-accounts/resource.ts';

/** One copy of each kind, shared by every loop. */
export interface Caches {
  readonly claims: Store<PersistentVolumeClaim>;
  readonly volumes: Store<PersistentVolume>;
  readonly classes: Store<StorageClass>;
  readonly attachments: Store<VolumeAttachment>;
  readonly csiNodes: Store<CSINode>;
  readonly csiDrivers: Store<CSIDriver>;
  readonly capacities: Store<CSIStorageCapacity>;
  readonly nodes: Store<Node>;
  /** Of kubelets alone; leaders' leases lie elsewhere. */
  readonly nodeLeases: Store<Lease>;
  readonly pods: Store<Pod>;
  readonly namespaces: Store<Namespace>;
  readonly serviceAccounts: Store<KubeObject>;
}

export interface RunningCaches {
  readonly caches: Caches;
  readonly synced: Promise<void>;
  /** Ends when every reflector has ended, which `signal` asks for. */
  run(signal: AbortSignal): Promise<void>;
}

interface CacheDeps {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly clock?: Clock;
}

/** Makes the reflectors; nothing is read before `run`. */
export function createCaches(deps: CacheDeps): RunningCaches {
  const reflectors: { synced: Promise<void>; run(signal: AbortSignal): Promise<void> }[] = [];

  function reflect<T extends KubeObject>(
    resource: Resource<T>,
    indexes: Record<string, (object: T) => readonly string[]> = {},
    namespace?: string,
  ): Store<T> {
    const scope = namespace === undefined ? {} : { namespace };
    const reflector: Reflector<T> = createReflector({ ...deps, ...scope, resource, indexes });
    reflectors.push(reflector);
    return reflector.store;
  }

  const caches: Caches = {
    claims: reflect(persistentVolumeClaims),
    volumes: reflect(persistentVolumes, {
      claim: (volume) => {
        const ref = volume.spec?.claimRef;
        return ref === undefined ? [] : [`${ref.namespace ?? ''}/${ref.name ?? ''}`];
      },
    }),
    classes: reflect(storageClasses),
    attachments: reflect(volumeAttachments, {
      node: (attachment) => [attachment.spec.nodeName],
      volume: (attachment) => optional(attachment.spec.source.persistentVolumeName),
    }),
    csiNodes: reflect(csiNodes),
    csiDrivers: reflect(csiDrivers),
    capacities: reflect(csiStorageCapacities),
    nodes: reflect(nodes),
    nodeLeases: reflect(leases, {}, leaseNamespace),
    pods: reflect(pods, {
      claim: claimKeysOfPod,
      node: (pod) => optional(pod.spec?.nodeName),
    }),
    namespaces: reflect(namespaces),
    serviceAccounts: reflect(serviceAccounts),
  };

  return {
    caches,
    synced: Promise.all(reflectors.map((reflector) => reflector.synced)).then(() => undefined),
    run: async (signal) => {
      await Promise.all(reflectors.map((reflector) => reflector.run(signal)));
    },
  };
}

function optional(value: string | undefined): readonly string[] {
  return value === undefined || value === '' ? [] : [value];
}
