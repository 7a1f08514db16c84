/** One place a volume may be in: label keys with one value each, sorted by key. All of them must hold. */
export type Term = readonly TermEntry[];

export interface TermEntry {
  readonly key: string;
  readonly value: string;
}

export type Segments = Readonly<Record<string, string>>;

interface LabelExpression {
  readonly key: string;
  readonly values: readonly string[];
}

/** Byte order, which for label keys and values (ASCII) is the order of UTF-16 code units. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function compareEntries(a: TermEntry, b: TermEntry): number {
  return compareText(a.key, b.key) || compareText(a.value, b.value);
}

/** Shorter terms first, then by their entries. */
export function compareTerms(a: Term, b: Term): number {
  if (a.length !== b.length) return a.length - b.length;
  for (const [index, entry] of a.entries()) {
    const other = b[index];
    const order = other ? compareEntries(entry, other) : 1;
    if (order !== 0) return order;
  }
  return 0;
}

export function sortAndDeduplicate(terms: readonly Term[]): Term[] {
  const sorted = [...terms].sort(compareTerms);
  return sorted.filter((term, index) => {
    const previous = sorted[index - 1];
    return previous === undefined || compareTerms(previous, term) !== 0;
  });
}

export function termOf(segments: Segments): Term {
  return Object.entries(segments)
    .map(([key, value]) => ({ key, value }))
    .sort(compareEntries);
}

export function segmentsOf(term: Term): Record<string, string> {
  return Object.fromEntries(term.map((entry) => [entry.key, entry.value]));
}

/** The values a node has for all `keys`, or undefined when one is missing. */
export function pickSegments(labels: Segments, keys: readonly string[]): Segments | undefined {
  const picked: Record<string, string> = {};
  for (const key of keys) {
    const value = labels[key];
    if (value === undefined) return undefined;
    picked[key] = value;
  }
  return picked;
}

export function isSubset(term: Term, segments: Segments): boolean {
  return term.every((entry) => segments[entry.key] === entry.value);
}

/**
 * A class's allowedTopologies as single-valued terms: each list of values is multiplied out, the OR of terms stays a
 * list.
 */
export function flattenAllowed(
  allowed: readonly { readonly matchLabelExpressions?: readonly LabelExpression[] | undefined }[],
): Term[] {
  return allowed.flatMap((selector) => {
    const expressions = selector.matchLabelExpressions ?? [];
    if (expressions.length === 0) return [];
    let partial: TermEntry[][] = [[]];
    for (const { key, values } of expressions) {
      partial = partial.flatMap((entries) => values.map((value) => [...entries, { key, value }]));
    }
    return partial.map((entries) => entries.sort(compareEntries));
  });
}

/** A new list that starts at `start` and wraps round. */
export function rotate<T>(items: readonly T[], start: number): T[] {
  return [...items.slice(start), ...items.slice(0, start)];
}

/** 32-bit FNV-1 (multiply first, not FNV-1a) over UTF-8, which upstream spreads claims with. */
export function fnv1(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = (Math.imul(hash, 0x01000193) ^ byte) >>> 0;
  return hash;
}

/**
 * Where a claim starts in a sorted list of `count` terms. Claims of one StatefulSet (`data-web-0`, `data-web-1`, …)
 * hash the set's name and add their ordinal, so their volumes go round the zones one by one; the claim template's name
 * does not matter.
 */
export function spreadOffset(claimName: string, count: number): number {
  const ordinal = /^(.*)-([0-9]+)$/s.exec(claimName);
  const index = Number(ordinal?.[2] ?? 0);
  if (!ordinal || index > 0xffffffff) return fnv1(claimName) % count;
  const setName = (ordinal[1] ?? '').replace(/^.*-/s, '');
  return ((fnv1(setName) + index) >>> 0) % count;
}
