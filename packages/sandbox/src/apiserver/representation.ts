import type { JsonObject, JsonValue } from './json.ts';
import type { Column, Kind } from './kind.ts';
import { apiVersionOf } from './kind.ts';
import type { ApiObject } from './objects.ts';
import { ApiError, badRequest } from './status.ts';
import type { ListResult } from './verbs/list.ts';

/** What a client accepts: objects whole, their metadata only, or rows of a table to print. */
export type Representation =
  | { readonly kind: 'whole' }
  | { readonly kind: 'metadata' }
  | { readonly kind: 'table'; readonly includes: 'None' | 'Metadata' | 'Object' };

/** The first acceptable type of the Accept header. Throws 406. */
export function chooseRepresentation(
  accept: string,
  includeObject: string | null,
  of: 'object' | 'list',
): Representation {
  const types = accept.split(',');
  for (const type of types) {
    const [media = '', ...parameters] = type.split(';').map((part) => part.trim());
    if (media !== 'application/json' && media !== '*/*') continue;
    const given = new Map(parameters.map((parameter) => parameter.split('=')).map(([key, value]) => [key, value]));
    const as = given.get('as');
    if (as === undefined) return { kind: 'whole' };
    if (given.get('g') !== 'meta.k8s.io' || given.get('v') !== 'v1') continue;
    if (as === (of === 'list' ? 'PartialObjectMetadataList' : 'PartialObjectMetadata')) return { kind: 'metadata' };
    if (as === 'Table') {
      if (!['None', 'Object', 'Metadata', '', null].includes(includeObject)) {
        throw badRequest(`unrecognized includeObject value: ${JSON.stringify(includeObject)}`);
      }
      const includes = includeObject === 'None' || includeObject === 'Object' ? includeObject : 'Metadata';
      return { kind: 'table', includes };
    }
  }
  const message =
    'only the following media types are accepted: application/json, application/json;as=Table;v=v1;g=meta.k8s.io, application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
  throw new ApiError(406, 'NotAcceptable', message);
}

export function renderObject(
  kind: Kind,
  object: ApiObject,
  as: Representation,
  nowMs: number,
  hasColumns = true,
): JsonObject {
  switch (as.kind) {
    case 'whole':
      return object.metadata.resourceVersion === '' ? withoutVersion(object) : object;
    case 'metadata':
      return metadataOnly(object);
    case 'table':
      return tableOf(
        kind,
        [object],
        { resourceVersion: object.metadata.resourceVersion },
        as.includes,
        nowMs,
        hasColumns,
      );
    default:
      return as satisfies never;
  }
}

/** What was never stored, but in a dry run, has no version. */
function withoutVersion(object: ApiObject): JsonObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

export function renderList(kind: Kind, list: ListResult, as: Representation, nowMs: number): JsonObject {
  const metadata: JsonObject = {
    resourceVersion: String(list.resourceVersion),
    ...(list.continueToken === undefined ? {} : { continue: list.continueToken }),
    ...(list.remainingItemCount === undefined ? {} : { remainingItemCount: list.remainingItemCount }),
  };
  switch (as.kind) {
    case 'whole':
      return { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata, items: list.items.map(withoutType) };
    case 'metadata': {
      const items = list.items.map(metadataOnly);
      return { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items };
    }
    case 'table':
      return tableOf(kind, list.items, metadata, as.includes, nowMs, true);
    default:
      return as satisfies never;
  }
}

/** Items of a list carry no apiVersion and kind of their own: the list says it once. */
function withoutType(object: ApiObject): JsonObject {
  const { apiVersion: _, kind: _kind, ...rest } = object;
  return rest;
}

function metadataOnly(object: ApiObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

function tableOf(
  kind: Kind,
  objects: readonly ApiObject[],
  metadata: JsonObject,
  includes: 'None' | 'Metadata' | 'Object',
  nowMs: number,
  hasColumns: boolean,
): JsonObject {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: hasColumns ? kind.columns.map(definitionOf) : [],
    rows: objects.map((object) => rowOf(kind, object, includes, nowMs)),
  };
}

function definitionOf({ name, type, format, priority = 0 }: Column): JsonValue {
  return { name, type, format: format ?? '', description: '', priority };
}

function rowOf(kind: Kind, object: ApiObject, includes: 'None' | 'Metadata' | 'Object', nowMs: number): JsonObject {
  const cells = kind.columns.map((column) => column.cell(object, nowMs));
  if (includes === 'None') return { cells, object: null };
  return { cells, object: includes === 'Object' ? object : metadataOnly(object) };
}
