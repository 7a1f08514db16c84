import type { PersistentVolume, StorageClass } from '@holdfast/kube';
import { annotations } from './names.ts';
import { resolveSecretRef, type SecretRef } from './secret-refs.ts';

/**
 * The secret DeleteVolume needs: from the volume's annotations, written when it was made. Volumes from before those
 * annotations fall back to the class, with what is still known of their claim.
 * @throws RefusalError when the class's template needs more than that
 */
export function deletionSecretRef(
  volume: PersistentVolume,
  storageClass: StorageClass | undefined,
): SecretRef | undefined {
  const name = volume.metadata.annotations?.[annotations.deletionSecretName];
  const namespace = volume.metadata.annotations?.[annotations.deletionSecretNamespace];
  if (name !== undefined && namespace !== undefined) {
    return name === '' || namespace === '' ? undefined : { name, namespace };
  }
  const claimRef = volume.spec?.claimRef;
  if (!storageClass || !claimRef) return undefined;
  return resolveSecretRef('provisioner', storageClass.parameters ?? {}, {
    volumeName: volume.metadata.name,
    claimName: claimRef.name ?? '',
    claimNamespace: claimRef.namespace ?? '',
    claimAnnotations: {},
  });
}
