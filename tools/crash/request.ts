/** A field of a request whose type only its RPC knows. */
export function valueAt(message: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    message,
  );
}

export function textAt(message: unknown, ...path: readonly string[]): string {
  const value = valueAt(message, ...path);
  return typeof value === 'string' ? value : '';
}
