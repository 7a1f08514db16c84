import type { Kind } from './kind.ts';
import { allKinds } from './kinds/all.ts';

export interface ResourceRoute {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  /** undefined: the collection. */
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

const kindByPath = new Map(allKinds.map((kind) => [`${kind.group}/${kind.version}/${kind.plural}`, kind]));

/** Reads a resource path; undefined when it names nothing the server serves. */
export function routeResource(path: string): ResourceRoute | undefined {
  const parts = decodeParts(path);
  if (parts === undefined) return undefined;
  const [root, ...below] = parts;
  if (root !== 'api' && root !== 'apis') return undefined;
  const [group, version, ...rest] = root === 'api' ? ['', ...below] : below;
  if (group === undefined || version === undefined) return undefined;
  // /namespaces/x/status is about the namespace x; /namespaces/x/pods is about what is in it.
  const [first, second, third] = rest;
  const isInside =
    first === 'namespaces' && second !== undefined && third !== undefined && third !== 'status' && third !== 'finalize';
  const namespace = isInside ? second : undefined;
  const [plural, name, subresource, ...extra] = isInside ? rest.slice(2) : rest;
  const kind = kindByPath.get(`${group}/${version}/${plural}`);
  if (kind === undefined || extra.length > 0) return undefined;
  if (namespace !== undefined && !kind.isNamespaced) return undefined;
  if (namespace === undefined && kind.isNamespaced && name !== undefined) return undefined;
  return { kind, namespace, name, subresource };
}

function decodeParts(path: string): string[] | undefined {
  try {
    const parts = path.split('/').slice(1).map(decodeURIComponent);
    if (parts.at(-1) === '') parts.pop();
    return parts.some((part) => part === '' || part.includes('/')) ? undefined : parts;
  } catch {
    return undefined;
  }
}
