import type { JsonObject, JsonValue } from '../json.ts';
import { equalJson, isObject, show } from '../json.ts';
import { ApiError, badRequest } from '../status.ts';
import type { MergeRule } from './merge-rules.ts';

const orderPrefix = '$setElementOrder/';
const deletePrefix = '$deleteFromPrimitiveList/';

/**
 * Strategic merge patch: a merge patch in which lists with a rule are merged by key or as sets, and in which the directives
 * `$patch`, `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…` say what a merge cannot.
 */
export function applyStrategicMerge(target: JsonObject, patch: JsonValue, rule: MergeRule): JsonObject {
  if (!isObject(patch)) throw badRequest('error decoding patch: the patch is not an object');
  return mergeObject(target, patch, rule);
}

function mergeObject(target: JsonObject, patch: JsonObject, rule: MergeRule): JsonObject {
  const directive = patch['$patch'] ?? 'merge';
  if (directive === 'replace') return withoutDirectives(patch);
  if (directive === 'delete') return {};
  if (directive !== 'merge') throw badRequest(`Unknown patch type found: ${show(directive)}`);
  const result: JsonObject = { ...target };
  retainKeys(result, patch);
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(deletePrefix)) deleteFromSet(result, key.slice(deletePrefix.length), value);
  }
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined || key.startsWith('$')) continue;
    if (value === null) delete result[key];
    else result[key] = mergeValue(result[key], value, rule.fields?.[key] ?? {});
  }
  for (const [key, value] of Object.entries(patch)) {
    if (!key.startsWith(orderPrefix)) continue;
    const field = key.slice(orderPrefix.length);
    reorder(result, field, target[field], value, rule);
  }
  return result;
}

function mergeValue(target: JsonValue | undefined, patch: JsonValue, rule: MergeRule): JsonValue {
  if (isObject(patch)) return mergeObject(isObject(target) ? target : {}, patch, rule);
  if (!Array.isArray(patch)) return patch;
  const list = Array.isArray(target) ? target : [];
  if (rule.isSet === true) return inOrder([...list, ...patch].filter(isFirst), { order: patch, before: list });
  if (rule.mergeKey === undefined) return patch.map(withoutDirectivesDeep);
  return mergeKeyedList(list, patch, rule.mergeKey, rule.item ?? {});
}

function isFirst(item: JsonValue, index: number, all: JsonValue[]): boolean {
  return all.indexOf(item) === index;
}

function mergeKeyedList(target: JsonValue[], patch: JsonValue[], mergeKey: string, rule: MergeRule): JsonValue[] {
  const items = patch.map((item) => {
    if (!isObject(item)) throw badRequest('error decoding patch: an item of a list merged by key is not an object');
    return item;
  });
  const replaces = items.some((item) => item['$patch'] === 'replace' && item[mergeKey] === undefined);
  if (replaces) return items.filter((item) => item['$patch'] === undefined).map(withoutDirectives);
  const result = [...target];
  for (const item of items) {
    const id = item[mergeKey];
    if (id === undefined) {
      throw new ApiError(500, '', `map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`);
    }
    const at = result.findIndex((candidate) => isObject(candidate) && equalJson(candidate[mergeKey], id));
    if (item['$patch'] === 'delete') {
      if (at >= 0) result.splice(at, 1);
      continue;
    }
    const existing = result[at];
    if (isObject(existing)) result[at] = mergeObject(existing, item, rule);
    else result.push(mergeObject({}, item, rule));
  }
  return inOrder(result, { order: patch, before: target, mergeKey });
}

/** `$retainKeys` lists every key the client knows of: of a union, the members it does not name are dropped. */
function retainKeys(result: JsonObject, patch: JsonObject): void {
  const kept = patch['$retainKeys'];
  if (kept === undefined) return;
  if (!Array.isArray(kept)) throw badRequest('error decoding patch: $retainKeys is not a list');
  for (const key of Object.keys(result)) if (!kept.includes(key)) delete result[key];
}

function deleteFromSet(result: JsonObject, field: string, values: JsonValue | undefined): void {
  const list = result[field];
  if (!Array.isArray(values)) throw badRequest(`error decoding patch: ${deletePrefix}${field} is not a list`);
  if (Array.isArray(list)) result[field] = list.filter((item) => !values.includes(item));
}

function reorder(
  result: JsonObject,
  field: string,
  before: JsonValue | undefined,
  order: JsonValue | undefined,
  rule: MergeRule,
): void {
  const list = result[field];
  if (!Array.isArray(order)) throw badRequest(`error decoding patch: ${orderPrefix}${field} is not a list`);
  if (!Array.isArray(list)) return;
  const mergeKey = rule.fields?.[field]?.mergeKey;
  result[field] = inOrder(list, { order, before: Array.isArray(before) ? before : [], mergeKey });
}

/**
 * The items of `list` that `order` names, in that order, woven into the others: one of the others comes first only where it stood
 * before the named one in `before`. So what a patch adds comes before what was there.
 */
function inOrder(
  list: readonly JsonValue[],
  {
    order,
    before,
    mergeKey,
  }: { order: readonly JsonValue[]; before: readonly JsonValue[]; mergeKey?: string | undefined },
): JsonValue[] {
  const idOf = (item: JsonValue): JsonValue | undefined =>
    mergeKey !== undefined && isObject(item) ? item[mergeKey] : item;
  const placeIn = (items: readonly JsonValue[], item: JsonValue): number =>
    items.findIndex((candidate) => equalJson(idOf(candidate), idOf(item)));
  const byPlaceIn = (items: readonly JsonValue[]) => (a: JsonValue, b: JsonValue) =>
    placeIn(items, a) - placeIn(items, b);
  const named = list.filter((item) => placeIn(order, item) >= 0).sort(byPlaceIn(order));
  const others = list.filter((item) => placeIn(order, item) < 0).sort(byPlaceIn(before));
  const result: JsonValue[] = [];
  for (const item of named) {
    const place = placeIn(before, item);
    for (let other = others[0]; other !== undefined && placeIn(before, other) < place; other = others[0]) {
      result.push(other);
      others.shift();
    }
    result.push(item);
  }
  return [...result, ...others];
}

function withoutDirectives(object: JsonObject): JsonObject {
  const kept: JsonObject = {};
  for (const [key, value] of Object.entries(object)) {
    if (!key.startsWith('$') && value !== undefined) kept[key] = withoutDirectivesDeep(value);
  }
  return kept;
}

function withoutDirectivesDeep(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutDirectivesDeep);
  return isObject(value) ? withoutDirectives(value) : value;
}
