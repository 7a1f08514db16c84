/** JSON as the server stores it. Absent and `undefined` mean the same. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

export function isStringMap(value: unknown): value is { [key: string]: string } {
  return isObject(value) && Object.values(value).every((item) => typeof item === 'string');
}

/** The value at a path of keys; `undefined` as soon as a step is missing or is not an object. */
export function valueAt(from: JsonValue | undefined, ...path: string[]): JsonValue | undefined {
  let value = from;
  for (const key of path) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

export function objectAt(from: JsonValue | undefined, ...path: string[]): JsonObject | undefined {
  const value = valueAt(from, ...path);
  return isObject(value) ? value : undefined;
}

export function stringAt(from: JsonValue | undefined, ...path: string[]): string | undefined {
  const value = valueAt(from, ...path);
  return typeof value === 'string' ? value : undefined;
}

export function numberAt(from: JsonValue | undefined, ...path: string[]): number | undefined {
  const value = valueAt(from, ...path);
  return typeof value === 'number' ? value : undefined;
}

export function listAt(from: JsonValue | undefined, ...path: string[]): readonly JsonValue[] {
  const value = valueAt(from, ...path);
  return Array.isArray(value) ? value : [];
}

/** The strings of a list; what is none is left out. */
export function textsAt(from: JsonValue | undefined, ...path: string[]): string[] {
  return listAt(from, ...path).filter((item) => typeof item === 'string');
}

/** For a message: text as it is, anything else as JSON. */
export function show(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
}

/** The object at `key`, made when it is missing or is not an object. */
export function ensureObject(parent: JsonObject, key: string): JsonObject {
  const existing = parent[key];
  if (isObject(existing)) return existing;
  const made: JsonObject = {};
  parent[key] = made;
  return made;
}

/** Sets a default: only where the field is absent. */
export function setDefault(parent: JsonObject, key: string, value: JsonValue): void {
  if (parent[key] === undefined) parent[key] = value;
}

export function equalJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => equalJson(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => equalJson(a[key], b[key]));
}

/**
 * Drops null fields, as a decode into Go structs does: a client's `creationTimestamp: null` is "not set".
 * Nulls inside lists stay: dropping one would move its neighbours.
 */
export function withoutNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    if (item !== null && item !== undefined) kept[key] = withoutNulls(item);
  }
  return kept;
}
