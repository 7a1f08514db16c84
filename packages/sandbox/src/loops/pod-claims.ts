import type { Pod } from '@holdfast/kube';

export interface PodClaim {
  /** The name of the volume inside the pod. */
  readonly volumeName: string;
  readonly claimName: string;
  readonly isReadOnly: boolean;
  /** A generic ephemeral volume: the claim belongs to the pod. */
  readonly isEphemeral: boolean;
}

/** The claims a pod names, generic ephemeral volumes included (their claim is `<pod>-<volume>`). */
export function claimsOfPod(pod: Pod): readonly PodClaim[] {
  return (pod.spec?.volumes ?? []).flatMap((volume): PodClaim[] => {
    if (volume.persistentVolumeClaim !== undefined) {
      const { claimName, readOnly } = volume.persistentVolumeClaim;
      return [{ volumeName: volume.name, claimName, isReadOnly: readOnly === true, isEphemeral: false }];
    }
    if (volume.ephemeral !== undefined) {
      const claimName = `${pod.metadata.name}-${volume.name}`;
      return [{ volumeName: volume.name, claimName, isReadOnly: false, isEphemeral: true }];
    }
    return [];
  });
}

export function claimKeysOfPod(pod: Pod): readonly string[] {
  return claimsOfPod(pod).map((claim) => `${pod.metadata.namespace ?? ''}/${claim.claimName}`);
}

/** Whether the pod's processes have ended for good: it needs no volume any more. */
export function isPodFinished(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return phase === 'Succeeded' || phase === 'Failed';
}
