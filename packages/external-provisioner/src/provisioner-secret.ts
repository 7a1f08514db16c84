import { isNotFound, type KubeClient, secrets } from '@holdfast/kube';
import type { SecretRef } from './secret-refs.ts';

/** A secret that cannot be read or cannot be sent. The message names the Secret and never its content. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

/**
 * A Secret's data as CSI takes it: text by key. Read for each call and kept nowhere, so a rotated one is used at once.
 * Bytes that are no UTF-8 are refused: gRPC would carry something else than was stored.
 */
export async function readSecret(
  client: KubeClient,
  ref: SecretRef,
  options: { signal: AbortSignal },
): Promise<Record<string, string>> {
  const where = `Secret ${ref.namespace}/${ref.name}`;
  let data: Readonly<Record<string, string>>;
  try {
    data = (await client.get(secrets, ref, options)).data ?? {};
  } catch (error) {
    options.signal.throwIfAborted();
    if (isNotFound(error)) throw new SecretError(`${where} does not exist: create it, or correct the StorageClass`);
    const detail = error instanceof Error ? error.message : String(error);
    throw new SecretError(`${where} cannot be read: ${detail}`, { cause: error });
  }
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return Object.fromEntries(
    Object.entries(data).map(([key, encoded]) => {
      try {
        return [key, decoder.decode(Buffer.from(encoded, 'base64'))];
      } catch {
        throw new SecretError(
          `${where}: the value of ${JSON.stringify(key)} is not UTF-8 text, which is all that CSI can carry`,
        );
      }
    }),
  );
}
