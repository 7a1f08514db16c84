import type { JsonObject, JsonValue } from '../json.ts';
import { equalJson, isObject, listAt, stringAt } from '../json.ts';
import type { Kind } from '../kind.ts';
import { apiVersionOf } from '../kind.ts';
import type { ApiObject } from '../objects.ts';
import { ApiError } from '../status.ts';
import type { FieldSet } from './field-sets.ts';
import { conflictsOf, fieldSetOf, fieldsV1Of, readFieldsV1, removeFields, without } from './field-sets.ts';
import { mergeRuleOf } from './merge-rules.ts';
import { applyStrategicMerge } from './strategic-merge.ts';

export interface ApplyRequest {
  readonly kind: Kind;
  readonly live: ApiObject | undefined;
  readonly applied: JsonObject;
  readonly manager: string;
  readonly subresource: 'main' | 'status';
  readonly isForced: boolean;
  readonly now: string;
}

/**
 * Server-side apply among managers that apply: what this manager says is set, what it said before and says no more is
 * removed unless another manager says it too, and a value another manager applied differently is a conflict.
 * Fields last written by POST, PUT or the other patches have no manager here, so they are taken over without a conflict.
 */
export function applyServerSide(request: ApplyRequest): JsonObject {
  const { kind, live, applied, manager } = request;
  const rule = mergeRuleOf(kind.kind);
  const wanted = fieldSetOf(identityStripped(applied), rule);
  const entries = listAt(live, 'metadata', 'managedFields').filter(isObject);
  const isOwn = (entry: JsonObject): boolean =>
    entry['manager'] === manager &&
    entry['operation'] === 'Apply' &&
    (stringAt(entry, 'subresource') ?? 'main') === request.subresource;
  const own = entries.find(isOwn);
  const others = entries.filter((entry) => entry !== own && entry['operation'] === 'Apply');

  const conflicts = others.flatMap((entry) =>
    conflictsOf(readFieldsV1(entry['fieldsV1']), wanted, live ?? {}, applied).map((path) => ({
      path,
      manager: stringAt(entry, 'manager') ?? '',
    })),
  );
  if (conflicts.length > 0 && !request.isForced) throw conflictError(conflicts);

  let base: JsonObject = structuredClone(live ?? {});
  if (own !== undefined) {
    let dropped: FieldSet = without(readFieldsV1(own['fieldsV1']), wanted);
    for (const entry of others) dropped = without(dropped, readFieldsV1(entry['fieldsV1']));
    base = removeFields(base, dropped);
  }
  const merged = applyStrategicMerge(base, applied, rule);
  const lost = new Map(conflicts.map(({ path, manager: owner }) => [`${owner}\n${path}`, path]));
  const kept = others.map((entry) => {
    const taken = [...lost]
      .filter(([key]) => key.startsWith(`${stringAt(entry, 'manager') ?? ''}\n`))
      .map(([, path]) => path);
    return taken.length === 0
      ? entry
      : { ...entry, fieldsV1: fieldsV1Of(withoutPaths(readFieldsV1(entry['fieldsV1']), taken)) };
  });
  const fieldsV1 = fieldsV1Of(wanted);
  const isUnchanged = own !== undefined && equalJson(own['fieldsV1'], fieldsV1);
  const mine: JsonObject = {
    manager,
    operation: 'Apply',
    apiVersion: apiVersionOf(kind),
    // The time of the last change of what is managed: an apply that changes nothing writes nothing.
    time: isUnchanged ? own['time'] : request.now,
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...(request.subresource === 'status' ? { subresource: 'status' } : {}),
  };
  const rest = entries.filter((entry) => entry !== own && entry['operation'] !== 'Apply');
  const metadata: JsonValue = {
    ...(isObject(merged['metadata']) ? merged['metadata'] : {}),
    managedFields: [mine, ...kept, ...rest],
  };
  return { ...merged, metadata };
}

/** What names the object is nobody's to own. */
function identityStripped(applied: JsonObject): JsonObject {
  const { apiVersion: _, kind: _kind, metadata, ...rest } = applied;
  if (!isObject(metadata)) return rest;
  const { name: _name, namespace: _namespace, uid: _uid, resourceVersion: _version, ...owned } = metadata;
  return Object.keys(owned).length === 0 ? rest : { ...rest, metadata: owned };
}

function withoutPaths(set: FieldSet, paths: readonly string[]): FieldSet {
  return new Map([...set].filter(([path]) => !paths.includes(path)));
}

function conflictError(conflicts: readonly { path: string; manager: string }[]): ApiError {
  const managers = [...new Set(conflicts.map(({ manager }) => JSON.stringify(manager)))].join(', ');
  const count = conflicts.length === 1 ? '1 conflict' : `${conflicts.length} conflicts`;
  const fields = conflicts.map(({ path }) => path);
  const message = `Apply failed with ${count}: conflict${conflicts.length === 1 ? '' : 's'} with ${managers}: ${fields.join(', ')}`;
  return new ApiError(409, 'Conflict', message, {
    causes: conflicts.map(({ path, manager }) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${JSON.stringify(manager)}`,
      field: path,
    })),
  });
}
