import type { JsonObject, JsonValue } from './json.ts';
import { isObject, isStringList, isStringMap, show } from './json.ts';
import type { Kind } from './kind.ts';
import { apiVersionOf } from './kind.ts';
import type { DraftMeta, DraftObject } from './objects.ts';
import type { Decoded } from './schema/decode.ts';
import { DecodeError, decodeStruct } from './schema/decode.ts';
import { badRequest } from './status.ts';

/** Called with the paths of fields the kind does not have; throws to refuse the request. */
export type OnUnknownFields = (kind: Kind, fields: readonly string[]) => void;

/**
 * What a client sent, as a typed decode would leave it: right kind, every field of the right type, no nulls, no unknown
 * fields, quantities and times canonical. Throws 400 with the words of upstream's decoder.
 */
export function readDraft(kind: Kind, body: unknown, onUnknownFields: OnUnknownFields = () => undefined): DraftObject {
  if (body === null) return readDraft(kind, {}, onUnknownFields);
  if (!isObject(body)) throw badRequest(`${cannotHandle(kind)}: the body is not an object`);
  const apiVersion = body['apiVersion'] ?? apiVersionOf(kind);
  const name = body['kind'] ?? kind.kind;
  if (apiVersion !== apiVersionOf(kind) || name !== kind.kind) {
    const got = `${show(apiVersion)}, Kind=${show(name)}`;
    throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): got ${got}`);
  }
  const { value, unknownFields } = decoded(kind, body);
  if (unknownFields.length > 0) onUnknownFields(kind, unknownFields);
  return { ...value, apiVersion, kind: name, metadata: readMeta(kind, value['metadata'] ?? {}) };
}

/** Brings an object into the form Go writes, once the server has put in what is its to say. */
export function writeAsGo(kind: Kind, object: DraftObject): void {
  const { metadata: _, ...rest } = object;
  const { value } = decodeStruct(kind.kind, rest, { keepsZeros: kind.isCustom });
  for (const key of Object.keys(rest)) if (value[key] === undefined) delete object[key];
  Object.assign(object, value);
}

/** An object of a kind in which nobody has set anything. */
export function emptyOf(kind: Kind): JsonObject {
  return { ...decodeStruct(kind.kind, {}, { keepsZeros: kind.isCustom }).value, metadata: {} };
}

function decoded(kind: Kind, sent: JsonObject): Decoded {
  try {
    return decodeStruct(kind.kind, sent, { keepsZeros: kind.isCustom });
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(`${cannotHandle(kind)}: ${error.message}`);
    throw error;
  }
}

export function cannotHandle(kind: Kind): string {
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
  const { labels, annotations, finalizers, selfLink: _selfLink, ...rest } = metadata;
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
