import { isTrue } from '../verbs/list-options.ts';
import type { Attributes } from './rules.ts';

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/**
 * What a request wants, from its method and URL alone and whether or not there is such a resource: who may not ask is not
 * told. The reading is upstream's (apiserver, RequestInfoFactory), its corners included.
 */
export function attributesOf(method: string, path: string, query: URLSearchParams): Attributes {
  const segments = path.split('/').map(decoded);
  const parts = segments.slice(segments.findIndex((part) => part !== ''));
  while (parts.at(-1) === '') parts.pop();
  const [root, group = ''] = parts;
  if (root === 'api' && parts.length >= 3) return resourceOf(method, '', parts.slice(2), query);
  if (root === 'apis' && parts.length >= 4) return resourceOf(method, group, parts.slice(3), query);
  return { kind: 'path', verb: method.toLowerCase(), path: segments.join('/') };
}

function resourceOf(method: string, group: string, parts: readonly string[], query: URLSearchParams): Attributes {
  const [first, second = '', third] = parts;
  // /namespaces/x/status is about the namespace x, and /namespaces/x is in itself.
  const isInside = first === 'namespaces' && third !== undefined && third !== 'status' && third !== 'finalize';
  const [resource = '', name = '', subresource = ''] = isInside ? parts.slice(2) : parts;
  return {
    kind: 'resource',
    verb: verbOf(method, name, query),
    group,
    resource,
    subresource,
    name: name === '' && (method === 'GET' || method === 'HEAD') ? selectedName(query) : name,
    namespace: first === 'namespaces' ? second : '',
  };
}

function verbOf(method: string, name: string, query: URLSearchParams): string {
  const verb = verbs[method] ?? '';
  if (name !== '') return verb;
  if (verb === 'get') return query.has('watch') && isTrue(query.get('watch')) ? 'watch' : 'list';
  return verb === 'delete' ? 'deletecollection' : verb;
}

/** A list or watch of one name, as reflectors of one object send, is allowed to whom that name is. */
function selectedName(query: URLSearchParams): string {
  const terms = (query.get('fieldSelector') ?? '').split(',');
  return terms.map((term) => /^metadata\.name==?([^=%/]+)$/.exec(term)?.[1]).find((name) => name !== undefined) ?? '';
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
