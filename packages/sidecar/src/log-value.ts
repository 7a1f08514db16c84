import { errorMessage } from '@holdfast/core';

const STRIPPED = '***stripped***';

/** Keys whose value is a secret whatever it holds. The RPC kit strips CSI's own; this is the second fence. */
const SECRET_KEY = /^(secrets|passwords?|authorization|(.*[-_.])?tokens?)$/i;

/** A value as a log may show it: errors as one line, big integers as digits, secrets never. */
export function loggable(key: string, value: unknown): unknown {
  if (SECRET_KEY.test(key) && value !== undefined) return STRIPPED;
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return errorMessage(value);
  if (value instanceof Map) return loggable(key, Object.fromEntries(value));
  if (value instanceof Set) return loggable(key, [...value]);
  if (value instanceof Uint8Array) return `<${value.length} bytes>`;
  return value;
}

export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value, loggable) ?? String(value);
  } catch {
    return '"<cannot be shown>"';
  }
}
