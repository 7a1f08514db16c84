// Objects seen by the shapes of their kind, as sigs.k8s.io/structured-merge-diff does: what in them has an owner of its own.
import type { JsonObject, JsonValue } from '../json.ts';
import { equalJson, isObject } from '../json.ts';
import type { Shape } from '../schema/notation.ts';
import { structNamed } from '../schema/structs.ts';
import type { FieldSet, Path, Step } from './field-set.ts';
import { setOfPaths } from './field-set.ts';

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** What of a value has owners of its own: named parts, or nothing, when the value is one whole. */
function partsOf(shape: Shape, value: JsonValue | undefined): Map<Step, JsonValue> | undefined {
  switch (shape.kind) {
    case 'scalar':
      return undefined;
    case 'list':
      if (shape.items.kind === 'atomic') return undefined;
      return new Map((Array.isArray(value) ? value : []).map((item) => [stepOf(shape, item), item]));
    case 'map':
    case 'struct': {
      const isWhole =
        shape.kind === 'map' ? shape.isAtomic : shape.isSplit !== true && structNamed(shape.name).isAtomic;
      if (isWhole) return undefined;
      const entries = isObject(value) ? Object.entries(value) : [];
      return new Map(entries.flatMap(([key, item]) => (item === undefined ? [] : [[`f:${key}`, item]])));
    }
    default:
      return shape satisfies never;
  }
}

function stepOf(shape: Extract<Shape, { kind: 'list' }>, item: JsonValue): Step {
  if (shape.items.kind !== 'map') return `v:${JSON.stringify(item)}`;
  const keys: JsonObject = {};
  for (const key of [...shape.items.keys].sort()) {
    const value = isObject(item) ? item[key] : undefined;
    // The one default among the keys of lists: a port's protocol.
    if (value !== undefined) keys[key] = value;
    else if (key === 'protocol') keys[key] = 'TCP';
  }
  return `k:${JSON.stringify(keys)}`;
}

/** The shape of a part; undefined for a field its struct has not. */
function shapeOfPart(shape: Shape, step: Step): Shape | undefined {
  if (shape.kind === 'struct') return structNamed(shape.name).fields.get(step.slice(2))?.shape;
  return shape.kind === 'scalar' ? undefined : shape.of;
}

const whole: Shape = { kind: 'scalar', type: 'any' };

/** From one state of an object to another: which paths are new, have another value, are gone. */
export function compareTyped(kind: string, before: JsonObject, after: JsonObject): Comparison {
  const added: Path[] = [];
  const modified: Path[] = [];
  const removed: Path[] = [];
  const compareWhole = (path: Path, old: JsonValue | undefined, next: JsonValue | undefined): void => {
    if (old === undefined) added.push(path);
    else if (next === undefined) removed.push(path);
    else if (!equalJson(old, next)) modified.push(path);
  };
  const compare = (shape: Shape, path: Path, old: JsonValue | undefined, next: JsonValue | undefined): void => {
    const oldParts = partsOf(shape, old);
    const nextParts = partsOf(shape, next);
    const areEmpty = (oldParts?.size ?? 0) === 0 && (nextParts?.size ?? 0) === 0;
    if (oldParts === undefined || nextParts === undefined || areEmpty) {
      compareWhole(path, old, next);
      return;
    }
    for (const step of new Set([...oldParts.keys(), ...nextParts.keys()])) {
      compare(shapeOfPart(shape, step) ?? whole, [...path, step], oldParts.get(step), nextParts.get(step));
    }
    if (old === undefined) added.push(path);
    else if (next === undefined) removed.push(path);
  };
  compare({ kind: 'struct', name: kind }, [], before, after);
  return { added: setOfPaths(added), modified: setOfPaths(modified), removed: setOfPaths(removed) };
}

/** What a configuration that is applied sets. */
export function fieldsOfTyped(kind: string, applied: JsonObject): FieldSet {
  const paths: Path[] = [];
  const collect = (shape: Shape, path: Path, value: JsonValue): void => {
    const parts = partsOf(shape, value);
    if (parts === undefined) {
      paths.push(path);
      return;
    }
    for (const [step, item] of parts) {
      collect(shapeOfPart(shape, step) ?? whole, [...path, step], item);
      const isEmpty = item === null || (isObject(item) && Object.keys(item).length === 0);
      // A field of a struct is there anyway; a map's key and a list's item are there because somebody says so.
      if (isEmpty || shape.kind !== 'struct') paths.push([...path, step]);
    }
  };
  collect({ kind: 'struct', name: kind }, [], applied);
  return setOfPaths(paths.filter((path) => path.length > 0));
}

/** The configuration over what is there. */
export function mergeTyped(kind: string, live: JsonObject, applied: JsonObject): JsonObject {
  const merged = mergeValue({ kind: 'struct', name: kind }, live, applied);
  return isObject(merged) ? merged : applied;
}

function mergeValue(shape: Shape, live: JsonValue | undefined, applied: JsonValue): JsonValue {
  const liveParts = partsOf(shape, live);
  const parts = partsOf(shape, applied);
  if (liveParts === undefined || parts === undefined || live === undefined || applied === null) return applied;
  const mergePart = (step: Step): JsonValue | undefined => {
    const item = parts.get(step);
    return item === undefined
      ? liveParts.get(step)
      : mergeValue(shapeOfPart(shape, step) ?? whole, liveParts.get(step), item);
  };
  if (shape.kind === 'list') {
    return orderOf([...liveParts.keys()], [...parts.keys()])
      .map(mergePart)
      .filter((item) => item !== undefined);
  }
  return Object.fromEntries(
    [...new Set([...liveParts.keys(), ...parts.keys()])].map((step) => [step.slice(2), mergePart(step)]),
  );
}

/** The applied order, with the others where they stood before it. */
function orderOf(live: readonly Step[], applied: readonly Step[]): Step[] {
  const order: Step[] = [];
  const rest = [...applied];
  for (const step of live) {
    if (!applied.includes(step)) order.push(step);
    else if (!order.includes(step)) order.push(...rest.splice(0, rest.indexOf(step) + 1));
  }
  return [...order, ...rest];
}

/** Takes out what lies at these paths. */
export function removePaths(kind: string, object: JsonObject, paths: FieldSet): JsonObject {
  const removeIn = (shape: Shape, value: JsonValue, path: Path): JsonValue => {
    const parts = partsOf(shape, value);
    if (parts === undefined) return value;
    const kept = [...parts].flatMap(([step, item]): [Step, JsonValue][] => {
      const here = [...path, step];
      if (paths.has(here.join('\n'))) return [];
      return [[step, removeIn(shapeOfPart(shape, step) ?? whole, item, here)]];
    });
    if (shape.kind === 'list') return kept.map(([, item]) => item);
    return Object.fromEntries(kept.map(([step, item]) => [step.slice(2), item]));
  };
  const result = removeIn({ kind: 'struct', name: kind }, object, []);
  return isObject(result) ? result : object;
}
