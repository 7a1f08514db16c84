import { createHash } from 'node:crypto';
import type { JsonObject } from './json.ts';
import type { Kind } from './kind.ts';
import { apiVersionOf } from './kind.ts';
import { allKinds } from './kinds/all.ts';
import { openApiSchemas } from './schema/openapi-schemas.ts';
import { ApiError } from './status.ts';

const info = { title: 'Kubernetes', version: 'v1.34.0' };

/**
 * As much OpenAPI as kubectl needs: which paths take a PATCH of which kind, that they know `fieldValidation`, and for
 * `kubectl explain` the fields of each kind. A strategic merge patch is not among the types a path takes: kubectl would then look
 * for merge keys in the schemas, and so it uses those it was built with.
 */
export function answerOpenApi(
  path: string,
  accept: string,
): { status: number; body: JsonObject | Uint8Array; contentType: string } | undefined {
  if (path === '/openapi/v3') return { status: 200, body: index(), contentType: 'application/json' };
  if (path.startsWith('/openapi/v3/')) {
    const found = documents().get(path.slice('/openapi/v3/'.length));
    if (found === undefined) return undefined;
    if (!/json|\*\/\*/.test(accept) && accept !== '')
      throw new ApiError(406, 'NotAcceptable', 'OpenAPI is served as JSON');
    return { status: 200, body: found, contentType: 'application/json' };
  }
  if (path !== '/openapi/v2') return undefined;
  if (accept.includes('protobuf')) {
    const contentType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
    return { status: 200, body: openApiV2Protobuf(), contentType };
  }
  return { status: 200, body: { swagger: '2.0', info, paths: {}, definitions: {} }, contentType: 'application/json' };
}

function index(): JsonObject {
  const paths: JsonObject = {};
  for (const [name, document] of documents()) {
    const hash = createHash('sha256').update(JSON.stringify(document)).digest('hex').slice(0, 32).toUpperCase();
    paths[name] = { serverRelativeURL: `/openapi/v3/${name}?hash=${hash}` };
  }
  return { paths };
}

let made: ReadonlyMap<string, JsonObject> | undefined;

/** One document for each group; made when first asked for, since few clients do. */
function documents(): ReadonlyMap<string, JsonObject> {
  if (made !== undefined) return made;
  const byPath = new Map<string, JsonObject>();
  for (const [name, kinds] of Map.groupBy(allKinds, rootOf)) {
    const paths = Object.assign({}, ...kinds.map((kind) => pathOf(kind, name)));
    byPath.set(name, { openapi: '3.0.0', info, paths, components: { schemas: openApiSchemas(kinds) } });
  }
  made = byPath;
  return byPath;
}

function rootOf(kind: Kind): string {
  return kind.group === '' ? 'api/v1' : `apis/${apiVersionOf(kind)}`;
}

function pathOf(kind: Kind, root: string): JsonObject {
  const where = kind.isNamespaced ? 'namespaces/{namespace}/' : '';
  const query = (name: string): JsonObject => ({ name, in: 'query', schema: { type: 'string', uniqueItems: true } });
  const patch: JsonObject = {
    parameters: ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map(query),
    requestBody: {
      content: {
        'application/json-patch+json': {},
        'application/merge-patch+json': {},
        'application/apply-patch+yaml': {},
      },
    },
    responses: { 200: { description: 'OK' } },
    'x-kubernetes-action': 'patch',
    'x-kubernetes-group-version-kind': { group: kind.group, kind: kind.kind, version: kind.version },
  };
  return { [`/${root}/${where}${kind.plural}/{name}`]: { patch } };
}

/** Document{swagger = 1, info = 2 {title = 1, version = 2}, paths = 8, definitions = 9} of gnostic's OpenAPIv2.proto. */
function openApiV2Protobuf(): Uint8Array {
  const field = (number: number, content: Buffer): Buffer =>
    Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);
  const about = Buffer.concat([field(1, Buffer.from(info.title)), field(2, Buffer.from(info.version))]);
  return Buffer.concat([
    field(1, Buffer.from('2.0')),
    field(2, about),
    field(8, Buffer.alloc(0)),
    field(9, Buffer.alloc(0)),
  ]);
}
