import { isForbidden, isNotFound, type KubeClient, type Secret, secrets } from '@holdfast/kube';
import type { Secrets } from './csi-calls.ts';
import type { SecretRef } from './publish-request.ts';

export class SecretError extends Error {
  override readonly name = 'SecretError';
}

/** Reads the secret a volume names, as text. @throws SecretError that names the secret and the remedy, never a value */
export async function readSecret(client: KubeClient, ref: SecretRef, signal: AbortSignal): Promise<Secrets> {
  const name = `Secret "${ref.namespace}/${ref.name}"`;
  if (ref.name === '' || ref.namespace === '') {
    throw new SecretError('csi.controllerPublishSecretRef of the volume needs both name and namespace');
  }
  let secret: Secret;
  try {
    secret = await client.get(secrets, ref, { signal });
  } catch (error) {
    if (isNotFound(error)) {
      throw new SecretError(`${name}, which csi.controllerPublishSecretRef names, does not exist: create it`);
    }
    if (isForbidden(error)) {
      throw new SecretError(`${name} may not be read: grant get on secrets to the service account of csi-attacher`);
    }
    throw error;
  }
  return Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, value]) => [key, decode(value, name, key)]));
}

/** CSI carries secrets as protobuf strings, which must be UTF-8. */
function decode(base64: string, name: string, key: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(base64, 'base64'));
  } catch {
    throw new SecretError(`${name}: the value of key "${key}" is not UTF-8 text, which CSI cannot carry`);
  }
}
