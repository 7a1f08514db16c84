import { errorMessage, formatQuantity, parseQuantity } from '@holdfast/core';
import type { JsonObject, JsonValue } from './json.ts';
import { isObject, isStringList, isStringMap, objectAt, show, withoutNulls } from './json.ts';
import type { Kind } from './kind.ts';
import { apiVersionOf } from './kind.ts';
import type { DraftMeta, DraftObject } from './objects.ts';
import { badRequest } from './status.ts';

/**
 * What a client sent, as a typed decode would leave it: right kind, well-shaped metadata, no nulls, quantities canonical.
 * Throws 400 with the words of upstream's decoder.
 */
export function readDraft(kind: Kind, body: unknown): DraftObject {
  if (!isObject(body)) throw badRequest(`${cannotHandle(kind)}: the body is not an object`);
  const clean = withoutNulls(body);
  if (!isObject(clean)) throw badRequest(`${cannotHandle(kind)}: the body is not an object`);
  const apiVersion = clean['apiVersion'] ?? apiVersionOf(kind);
  const name = clean['kind'] ?? kind.kind;
  if (apiVersion !== apiVersionOf(kind) || name !== kind.kind) {
    const got = `${show(apiVersion)}, Kind=${show(name)}`;
    throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): got ${got}`);
  }
  const draft: DraftObject = { ...clean, apiVersion, kind: name, metadata: readMeta(kind, clean['metadata'] ?? {}) };
  canonicalizeQuantities(kind, draft);
  return draft;
}

function cannotHandle(kind: Kind): string {
  return `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}`;
}

const textFields = ['name', 'generateName', 'namespace', 'uid', 'resourceVersion'];

function readMeta(kind: Kind, metadata: JsonValue): DraftMeta {
  const wrong = (field: string, type: string): Error =>
    badRequest(
      `${cannotHandle(kind)}: json: cannot unmarshal into Go struct field ObjectMeta.metadata.${field} of type ${type}`,
    );
  if (!isObject(metadata)) throw badRequest(`${cannotHandle(kind)}: metadata is not an object`);
  for (const field of textFields) {
    const value = metadata[field];
    if (value !== undefined && typeof value !== 'string') throw wrong(field, 'string');
  }
  const { labels, annotations, finalizers, ...rest } = metadata;
  const meta: DraftMeta = { ...rest };
  if (labels !== undefined) {
    if (!isStringMap(labels)) throw wrong('labels', 'string');
    if (Object.keys(labels).length > 0) meta.labels = labels;
  }
  if (annotations !== undefined) {
    if (!isStringMap(annotations)) throw wrong('annotations', 'string');
    if (Object.keys(annotations).length > 0) meta.annotations = annotations;
  }
  if (finalizers !== undefined) {
    if (!isStringList(finalizers)) throw wrong('finalizers', 'string');
    if (finalizers.length > 0) meta.finalizers = finalizers;
  }
  // Empty text is "not set" to a Go client, and so are an empty list and an empty map.
  for (const field of textFields) if (meta[field] === '') delete meta[field];
  for (const field of ['ownerReferences', 'managedFields']) {
    const value = meta[field];
    if (Array.isArray(value) && value.length === 0) delete meta[field];
  }
  return meta;
}

/** A resource.Quantity is decoded and printed again: `1024Mi` is stored as `1Gi`, and `1.5x` is refused. */
function canonicalizeQuantities(kind: Kind, draft: JsonObject): void {
  for (const path of kind.quantityMaps ?? []) {
    const quantities = objectAt(draft, ...path);
    for (const name of Object.keys(quantities ?? {})) canonicalize(kind, quantities, name);
  }
  for (const path of kind.quantities ?? []) {
    const parent = path.length === 1 ? draft : objectAt(draft, ...path.slice(0, -1));
    canonicalize(kind, parent, path.at(-1) ?? '');
  }
}

function canonicalize(kind: Kind, parent: JsonObject | undefined, name: string): void {
  const value = parent?.[name];
  if (parent === undefined || value === undefined) return;
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw badRequest(`${cannotHandle(kind)}: ${name} is not a quantity`);
  }
  try {
    parent[name] = formatQuantity(parseQuantity(String(value)));
  } catch (error) {
    throw badRequest(`${cannotHandle(kind)}: ${errorMessage(error)}`);
  }
}
