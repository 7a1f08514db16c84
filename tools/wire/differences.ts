// What is different between two JSON values, each difference by its place. Pure.

/** Lines such as `field volume_id, number: ours 1, theirs 2`. Entries of a list that have a name are found by it. */
export function differences(ours: unknown, theirs: unknown, place = ''): string[] {
  if (Array.isArray(ours) || Array.isArray(theirs)) return differences(byName(ours), byName(theirs), place);
  if (isObject(ours) && isObject(theirs)) {
    const keys = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
    return keys.flatMap((key) => differences(ours[key], theirs[key], place === '' ? key : `${place} ${key}`));
  }
  if (ours === theirs) return [];
  return [`${place}: ours ${shown(ours)}, theirs ${shown(theirs)}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The order of a list is kept as a value of its own: a oneof is named by its place in a list. */
function byName(list: unknown): unknown {
  if (!Array.isArray(list)) return list;
  const entries = list.map((entry: unknown, place): [string, unknown] => {
    const name = isObject(entry) && typeof entry.name === 'string' ? entry.name : String(place);
    return [name, isObject(entry) ? { ...entry, place } : entry];
  });
  return Object.fromEntries(entries);
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
