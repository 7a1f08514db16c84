import type { JsonObject, JsonValue } from '../json.ts';
import { isObject } from '../json.ts';

/** One step of a path in FieldsV1: `f:<field>`, `k:<json of the keys>` or `v:<json of the value>`. */
export type Step = string;
export type Path = readonly Step[];

/** What a manager owns. A list's item and a map's key can be owned beside what they hold. */
export type FieldSet = ReadonlyMap<string, Path>;

const separator = '\n';

export function keyOfPath(path: Path): string {
  return path.join(separator);
}

export function setOfPaths(paths: Iterable<Path>): FieldSet {
  return new Map([...paths].map((path) => [keyOfPath(path), path]));
}

export function union(...sets: readonly FieldSet[]): FieldSet {
  return new Map(sets.flatMap((set) => [...set]));
}

export function difference(set: FieldSet, other: FieldSet): FieldSet {
  return new Map([...set].filter(([key]) => !other.has(key)));
}

export function intersection(set: FieldSet, other: FieldSet): FieldSet {
  return new Map([...set].filter(([key]) => other.has(key)));
}

/** Without what lies at or below one of the prefixes. */
export function without(set: FieldSet, prefixes: readonly Path[]): FieldSet {
  return new Map([...set].filter(([, path]) => !prefixes.some((prefix) => startsWith(path, prefix))));
}

export function startsWith(path: Path, prefix: Path): boolean {
  return prefix.every((step, at) => path[at] === step);
}

/** As conflicts name it: `.spec.containers[name="main"].image`. */
export function pathText(path: Path): string {
  return path
    .map((step) => {
      const rest = step.slice(2);
      if (step.startsWith('f:')) return `.${rest}`;
      if (step.startsWith('v:')) return `[=${rest}]`;
      const pairs = Object.entries(keysOf(step)).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
      return `[${pairs.join(',')}]`;
    })
    .join('');
}

/** The keys of a `k:` step. */
export function keysOf(step: Step): JsonObject {
  const keys: unknown = JSON.parse(step.slice(2));
  return isObject(keys) ? keys : {};
}

export function fieldsV1Of(set: FieldSet): JsonObject {
  const root: JsonObject = {};
  for (const path of set.values()) {
    let at = root;
    for (const step of path) {
      const next = at[step];
      const child: JsonObject = isObject(next) ? next : {};
      at[step] = child;
      at = child;
    }
    at['.'] = {};
  }
  return withoutLoneDots(root);
}

/** A leaf is written as an empty object; the dot is for what has more below it. */
function withoutLoneDots(node: JsonObject): JsonObject {
  const result: JsonObject = {};
  const isLeaf = Object.keys(node).length === 1;
  for (const [step, child] of Object.entries(node)) {
    if (step === '.' && isLeaf) continue;
    if (isObject(child)) result[step] = withoutLoneDots(child);
  }
  return result;
}

export function readFieldsV1(fieldsV1: JsonValue | undefined): FieldSet {
  const paths: Path[] = [];
  const walk = (node: JsonObject, path: Path): void => {
    const steps = Object.keys(node);
    if (path.length > 0 && (steps.length === 0 || steps.includes('.'))) paths.push(path);
    for (const step of steps) {
      const child = node[step];
      if (step !== '.' && isObject(child)) walk(child, [...path, step]);
    }
  };
  if (isObject(fieldsV1)) walk(fieldsV1, []);
  return setOfPaths(paths);
}
