import type { JsonObject, JsonValue } from '../json.ts';
import { equalJson, isObject } from '../json.ts';
import type { MergeRule } from './merge-rules.ts';

/** One step of a path in FieldsV1: `f:<field>`, `k:<json of the keys>` or `v:<json of the value>`. */
type Step = string;

/** The leaves a manager owns: from a readable path to its steps. */
export type FieldSet = ReadonlyMap<string, readonly Step[]>;

export function fieldSetOf(applied: JsonObject, rule: MergeRule): FieldSet {
  const leaves = new Map<string, readonly Step[]>();
  collect(applied, rule, [], leaves);
  return leaves;
}

function collect(
  value: JsonValue,
  rule: MergeRule,
  steps: readonly Step[],
  leaves: Map<string, readonly Step[]>,
): void {
  const add = (path: readonly Step[]): unknown => leaves.set(readable(path), path);
  if (isObject(value) && Object.keys(value).length > 0) {
    for (const [key, item] of Object.entries(value)) {
      if (item !== undefined && item !== null) collect(item, rule.fields?.[key] ?? {}, [...steps, `f:${key}`], leaves);
    }
    return;
  }
  if (Array.isArray(value) && rule.isSet === true) {
    for (const item of value) add([...steps, `v:${JSON.stringify(item)}`]);
    return;
  }
  const { mergeKey } = rule;
  if (Array.isArray(value) && mergeKey !== undefined) {
    for (const item of value) {
      if (!isObject(item)) continue;
      collect(item, rule.item ?? {}, [...steps, `k:${JSON.stringify({ [mergeKey]: item[mergeKey] })}`], leaves);
    }
    return;
  }
  add(steps);
}

function readable(steps: readonly Step[]): string {
  return steps.map((step) => (step.startsWith('f:') ? `.${step.slice(2)}` : `[${step.slice(2)}]`)).join('');
}

export function fieldsV1Of(set: FieldSet): JsonObject {
  const root: JsonObject = {};
  for (const steps of set.values()) {
    let at = root;
    for (const step of steps) {
      const next = at[step];
      const child: JsonObject = isObject(next) ? next : {};
      at[step] = child;
      at = child;
    }
  }
  return root;
}

export function readFieldsV1(fieldsV1: JsonValue | undefined): FieldSet {
  const leaves = new Map<string, readonly Step[]>();
  const walk = (node: JsonObject, steps: readonly Step[]): void => {
    const children = Object.entries(node);
    if (children.length === 0 && steps.length > 0) leaves.set(readable(steps), steps);
    for (const [step, child] of children) if (isObject(child)) walk(child, [...steps, step]);
  };
  if (isObject(fieldsV1)) walk(fieldsV1, []);
  return leaves;
}

export function without(set: FieldSet, other: FieldSet): FieldSet {
  return new Map([...set].filter(([path]) => !other.has(path)));
}

/** Paths that another manager owns, that `wanted` sets too, and to a different value than the live one. */
export function conflictsOf(owned: FieldSet, wanted: FieldSet, live: JsonObject, applied: JsonObject): string[] {
  return [...wanted]
    .filter(([path, steps]) => owned.has(path) && !equalJson(valueOf(live, steps), valueOf(applied, steps)))
    .map(([path]) => path);
}

function indexOfItem(list: readonly JsonValue[], step: Step): number {
  const wanted: unknown = JSON.parse(step.slice(2));
  if (step.startsWith('v:')) return list.findIndex((item) => item === wanted);
  const keys = isObject(wanted) ? Object.entries(wanted) : [];
  return list.findIndex((item) => isObject(item) && keys.every(([key, value]) => equalJson(item[key], value)));
}

function valueOf(root: JsonValue, steps: readonly Step[]): JsonValue | undefined {
  let at: JsonValue | undefined = root;
  for (const step of steps) {
    if (step.startsWith('f:')) at = isObject(at) ? at[step.slice(2)] : undefined;
    else at = Array.isArray(at) ? at[indexOfItem(at, step)] : undefined;
  }
  return at;
}

/** Takes the leaves out; an item of a keyed list goes with the last field its manager owned. */
export function removeFields(root: JsonObject, set: FieldSet): JsonObject {
  const result = structuredClone(root);
  for (const steps of set.values()) removeAt(result, steps);
  return result;
}

function removeAt(root: JsonObject, steps: readonly Step[]): void {
  const last = steps.at(-1);
  const parentSteps = steps.slice(0, -1);
  const parent = valueOf(root, parentSteps);
  if (last === undefined || parent === undefined) return;
  if (Array.isArray(parent)) {
    const index = indexOfItem(parent, last);
    if (index >= 0) parent.splice(index, 1);
    return;
  }
  if (!isObject(parent)) return;
  const ownStep = parentSteps.at(-1) ?? '';
  const field = last.slice(2);
  const isItemKey = ownStep.startsWith('k:') && Object.keys(parseKeys(ownStep)).includes(field);
  if (isItemKey) removeAt(root, parentSteps);
  else delete parent[field];
}

function parseKeys(step: Step): JsonObject {
  const keys: unknown = JSON.parse(step.slice(2));
  return isObject(keys) ? keys : {};
}
