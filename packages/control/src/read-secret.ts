import { errorMessage } from '@holdfast/core';
import { isForbidden, isNotFound, type KubeClient, type ObjectRef, type Secret, secrets } from '@holdfast/kube';

/** A Secret that cannot be read, or whose values cannot be sent. The message names it and the remedy, never a value. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

export interface SecretReadOptions {
  /** Where the reference stands, for the error: `csi.controllerExpandSecretRef of the volume`. */
  readonly namedBy: string;
  readonly signal: AbortSignal;
}

/**
 * A Secret's values as CSI takes them: text by key. Read anew for each call and kept nowhere, so that a rotated one is used
 * at once. Bytes that are no UTF-8 are refused: gRPC would carry something else than was stored.
 * @param ref undefined when no secret is needed; an empty or missing part is an error
 * @throws SecretError
 */
export async function readSecret(
  client: KubeClient,
  ref: Partial<ObjectRef> | undefined,
  options: SecretReadOptions,
): Promise<Record<string, string>> {
  if (ref === undefined) return {};
  const { name, namespace } = ref;
  if (!name || !namespace) throw new SecretError(`${options.namedBy} needs both name and namespace`);
  const where = `Secret "${namespace}/${name}"`;
  const { data = {} } = await get(client, { name, namespace }, where, options);
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, decode(value, key, where)]));
}

async function get(client: KubeClient, ref: ObjectRef, where: string, options: SecretReadOptions): Promise<Secret> {
  try {
    return await client.get(secrets, ref, { signal: options.signal });
  } catch (error) {
    if (isNotFound(error)) {
      throw new SecretError(`${where}, which ${options.namedBy} names, does not exist: create it`);
    }
    if (isForbidden(error)) {
      throw new SecretError(`${where} may not be read: grant get on secrets to this service account`);
    }
    options.signal.throwIfAborted();
    throw new SecretError(`${where} cannot be read: ${errorMessage(error)}`);
  }
}

function decode(base64: string, key: string, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(base64, 'base64'));
  } catch {
    throw new SecretError(
      `${where}: the value of key ${JSON.stringify(key)} is not UTF-8 text, which CSI cannot carry`,
    );
  }
}
