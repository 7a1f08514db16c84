const DIGITS = /^\d+$/;

/**
 * Says whether resourceVersion `a` is newer than `b`. Both must come from the same collection: there they are ordered
 * integers (KEP-5504); anywhere else they are opaque. A version that is no number cannot be ordered and counts as newer,
 * so that a server with other versions is followed event by event.
 */
export function isNewerVersion(a: string, b: string): boolean {
  if (a === b) return false;
  if (!DIGITS.test(a) || !DIGITS.test(b)) return true;
  return BigInt(a) > BigInt(b);
}

/** Says whether `a` is surely older than `b`. Of versions that are no numbers none is, so nothing is dropped on their account. */
export function isOlderVersion(a: string, b: string): boolean {
  return isNewerVersion(b, a) && !isNewerVersion(a, b);
}
