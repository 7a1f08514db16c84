import { isNotFound, type KubeClient, type PersistentVolume, secrets } from '@holdfast/kube';

/** The secret that the class named for ControllerExpandVolume is missing. */
export class MissingSecretError extends Error {
  override readonly name = 'MissingSecretError';
}

/**
 * What the volume's `controllerExpandSecretRef` holds, read anew for each call and never kept.
 * @throws MissingSecretError, KubeError
 */
export async function readExpandSecrets(
  client: KubeClient,
  volume: PersistentVolume,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const ref = volume.spec?.csi?.controllerExpandSecretRef;
  if (!ref?.name || !ref.namespace) return {};
  try {
    const { data = {} } = await client.get(secrets, { name: ref.name, namespace: ref.namespace }, { signal });
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new MissingSecretError(
      `secret "${ref.namespace}/${ref.name}" that volume "${volume.metadata.name}" needs to be expanded does not exist; create it`,
      { cause: error },
    );
  }
}
