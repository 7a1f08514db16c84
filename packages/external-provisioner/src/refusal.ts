/**
 * Thrown by the pure parts when a claim or its class cannot be served as written. The message names the thing and the
 * remedy.
 */
export class RefusalError extends Error {
  override readonly name = 'RefusalError';
}
