import type { JsonObject } from '../json.ts';
import { objectAt } from '../json.ts';
import type { Kind } from '../kind.ts';
import { apiVersionOf } from '../kind.ts';
import type { Scalar, Shape } from './notation.ts';
import { structNamed } from './structs.ts';

const scalarSchemas: Readonly<Record<Scalar, JsonObject>> = {
  string: { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  bytes: { type: 'string', format: 'byte' },
  time: { type: 'string', format: 'date-time' },
  microTime: { type: 'string', format: 'date-time' },
  quantity: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  intOrString: { oneOf: [{ type: 'integer' }, { type: 'string' }], format: 'int-or-string' },
  any: { type: 'object' },
};

/** The schemas of some kinds and of every struct they hold, as an OpenAPI v3 document's components carry them. */
export function openApiSchemas(kinds: readonly Kind[]): JsonObject {
  const schemas: JsonObject = {};
  for (const kind of kinds) addStruct(schemas, kind.kind);
  for (const kind of kinds) addKind(schemas, kind);
  return schemas;
}

function addKind(schemas: JsonObject, kind: Kind): void {
  const { openApiName } = structNamed(kind.kind);
  const { group, version } = kind;
  const what = `A ${kind.kind} of ${apiVersionOf(kind)}. The sandbox knows names and types of its fields, not their descriptions.`;
  schemas[openApiName] = {
    ...objectAt(schemas, openApiName),
    description: what,
    'x-kubernetes-group-version-kind': [{ group, kind: kind.kind, version }],
  };
  schemas[`${openApiName}List`] = {
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      items: { type: 'array', items: { $ref: `#/components/schemas/${openApiName}` } },
      kind: { type: 'string' },
      metadata: { type: 'object' },
    },
    'x-kubernetes-group-version-kind': [{ group, kind: `${kind.kind}List`, version }],
  };
}

function addStruct(schemas: JsonObject, name: string): void {
  const { openApiName, fields } = structNamed(name);
  if (schemas[openApiName] !== undefined) return;
  const properties: JsonObject = {};
  const required: string[] = [];
  schemas[openApiName] = { type: 'object', properties };
  for (const [field, { shape, isRequired }] of fields) {
    properties[field] = schemaOf(schemas, shape);
    if (isRequired) required.push(field);
  }
  if (required.length > 0) schemas[openApiName] = { type: 'object', properties, required };
}

function schemaOf(schemas: JsonObject, shape: Shape): JsonObject {
  switch (shape.kind) {
    case 'list':
      return { type: 'array', items: schemaOf(schemas, shape.of) };
    case 'map':
      return { type: 'object', additionalProperties: schemaOf(schemas, shape.of) };
    case 'struct':
      addStruct(schemas, shape.name);
      return { allOf: [{ $ref: `#/components/schemas/${structNamed(shape.name).openApiName}` }] };
    case 'scalar':
      return scalarSchemas[shape.type];
    default:
      return shape satisfies never;
  }
}
