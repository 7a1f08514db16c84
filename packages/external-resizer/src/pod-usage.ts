import { createReflector } from '@holdfast/control';
import type { Clock, Logger } from '@holdfast/core';
import { type KubeClient, objectKey, type PersistentVolumeClaim, type Pod, pods } from '@holdfast/kube';

/** Who uses which claim. Nothing is watched before `start`: most drivers expand volumes in use, and pods are many. */
export interface PodUsage {
  /** Begins to watch pods; does nothing when it does already or when the user has switched it off. */
  start(): void;
  /** The name of a pod that has not ended and uses the claim; undefined also as long as pods are not known. */
  podUsing(claim: PersistentVolumeClaim): string | undefined;
}

export interface PodUsageDeps {
  client: KubeClient;
  /** `--handle-volume-inuse-error`. */
  isEnabled: boolean;
  /** A pod that used this claim (`namespace/name`) has ended. */
  onReleased: (claimKey: string) => void;
  log: Logger;
  clock: Clock;
  signal: AbortSignal;
}

export function createPodUsage(deps: PodUsageDeps): PodUsage {
  const reflector = createReflector({
    client: deps.client,
    resource: pods,
    project: claimsOnly,
    // Most pods of a cluster have no claim.
    isKept: (pod) => !hasEnded(pod) && claimKeys(pod).length > 0,
    indexes: { claim: claimKeys },
    log: deps.log,
    clock: deps.clock,
  });
  let isStarted = false;

  return {
    start() {
      if (isStarted || !deps.isEnabled) return;
      isStarted = true;
      // A pod that ends is one that is no more kept.
      reflector.store.subscribe(({ kind, object }) => {
        if (kind === 'deleted') for (const key of claimKeys(object)) deps.onReleased(key);
      });
      void reflector.run(deps.signal);
    },
    podUsing(claim) {
      const [pod] = reflector.store.byIndex('claim', objectKey(claim));
      return pod?.metadata.name;
    },
  };
}

function hasEnded({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

function claimKeys({ metadata, spec }: Pod): string[] {
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    const claimName = persistentVolumeClaim?.claimName ?? (ephemeral ? `${metadata.name}-${name}` : undefined);
    return claimName === undefined ? [] : [`${metadata.namespace ?? ''}/${claimName}`];
  });
}

function claimsOnly({ metadata, spec, status }: Pod): Pod {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const volumes = (spec?.volumes ?? []).filter((volume) => volume.persistentVolumeClaim ?? volume.ephemeral);
  return {
    metadata: { name, uid, resourceVersion, creationTimestamp, ...(namespace === undefined ? {} : { namespace }) },
    spec: {
      containers: [],
      volumes: volumes.map((volume) => ({
        name: volume.name,
        ...(volume.persistentVolumeClaim ? { persistentVolumeClaim: volume.persistentVolumeClaim } : {}),
        ...(volume.ephemeral ? { ephemeral: {} } : {}),
      })),
    },
    ...(status?.phase === undefined ? {} : { status: { phase: status.phase } }),
  };
}
