/** The known name that is fewest edits away from a mistyped one, if it is near enough to be meant. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  // A third of the letters may be wrong; more would suggest flags that have nothing to do with it.
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const each of known) {
    const distance = isTruncation(name, each) ? 1 : editDistance(name, each);
    if (distance < bestDistance) {
      best = each;
      bestDistance = distance;
    }
  }
  return best;
}

/** `--leader-elect` for `--leader-election`, `--kube-qps` not: the start must be there. */
function isTruncation(name: string, known: string): boolean {
  return name.length >= 4 && (known.startsWith(name) || name.startsWith(known));
}

/** Levenshtein's, with one row kept. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
