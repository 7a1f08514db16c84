/**
 * What two projections of one object keep together. A projection keeps a field or drops it, never changes it, so where both
 * have a value it is the same one, or both have kept parts of it. What either has whole is taken over, not copied.
 */
export function mergeKept<T>(a: T, b: T): T;
export function mergeKept(a: unknown, b: unknown): unknown {
  if (a === b || b === undefined) return a;
  if (a === undefined) return b;
  if (Array.isArray(a) && Array.isArray(b)) return mergeLists(a, b);
  if (isRecord(a) && isRecord(b)) return mergeRecords(a, b);
  return a;
}

/** Elements are the object's own: a projection may leave some out. */
function mergeLists(a: readonly unknown[], b: readonly unknown[]): readonly unknown[] {
  const merged = new Set([...a, ...b]);
  if (merged.size === a.length) return a;
  return merged.size === b.length ? b : [...merged];
}

function mergeRecords(a: Record<string, unknown>, b: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...a };
  let isAll = true;
  for (const [key, value] of Object.entries(b)) {
    merged[key] = mergeKept(a[key], value);
    if (merged[key] !== a[key]) isAll = false;
  }
  if (isAll) return a;
  const isOther = Object.entries(merged).every(([key, value]) => b[key] === value);
  return isOther ? b : merged;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
