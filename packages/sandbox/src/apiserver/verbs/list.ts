import type { Kind } from '../kind.ts';
import { storageName } from '../kind.ts';
import type { ApiObject } from '../objects.ts';
import { keyOf } from '../objects.ts';
import { createMatcher } from '../selectors.ts';
import { badRequest, expired, tooLargeResourceVersion } from '../status.ts';
import type { Storage } from '../storage.ts';
import type { VerbContext } from './context.ts';
import type { ListOptions } from './list-options.ts';

export interface ListResult {
  readonly items: readonly ApiObject[];
  readonly resourceVersion: number;
  readonly continueToken?: string;
  readonly remainingItemCount?: number;
}

/** Where a page goes on: after which key, and in the state of which revision. */
interface Position {
  readonly revision: number;
  readonly afterKey: string;
}

/** GET of a collection. A page shows the state at the revision of the first page, from the history. */
export function listObjects(
  context: VerbContext,
  kind: Kind,
  namespace: string | undefined,
  options: ListOptions,
): ListResult {
  const { storage } = context;
  const matches = createMatcher(kind, { labels: options.labelSelector, fields: options.fieldSelector, namespace });
  const position = options.continueToken === '' ? undefined : readToken(options);
  const revision = position?.revision ?? startRevision(storage, options);
  const state =
    revision === storage.revision
      ? storage.list(storageName(kind), namespace)
      : past(storage, kind, namespace, revision, position);
  const rest = state.filter((item) => matches(item) && (position === undefined || keyOf(item) > position.afterKey));
  // "Any version" is answered from a cache, which knows no pages.
  const isPaged = options.limit > 0 && (options.resourceVersion !== 0 || position !== undefined);
  const items = isPaged ? rest.slice(0, options.limit) : rest;
  const last = items.at(-1);
  if (last === undefined || items.length === rest.length) return { items, resourceVersion: revision };
  // With a selector upstream does not know how many are left, and says nothing.
  const isCounted = options.labelSelector === '' && options.fieldSelector === '';
  return {
    items,
    resourceVersion: revision,
    continueToken: writeToken({ revision, afterKey: keyOf(last) }),
    ...(isCounted ? { remainingItemCount: rest.length - items.length } : {}),
  };
}

function past(
  storage: Storage,
  kind: Kind,
  namespace: string | undefined,
  revision: number,
  position: Position | undefined,
): ApiObject[] {
  // A revision yet to come is of a server that ran before this one.
  if (revision >= storage.compactedRevision && revision <= storage.revision)
    return storage.listAt(storageName(kind), revision, namespace);
  if (position === undefined) throw expired('The resourceVersion for the provided list is too old.');
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.';
  throw expired(message);
}

function startRevision(storage: Storage, options: ListOptions): number {
  const { resourceVersion: asked, resourceVersionMatch: match, limit } = options;
  if (asked === undefined || asked === 0) return storage.revision;
  if (asked > storage.revision) throw tooLargeResourceVersion(asked, storage.revision);
  // A limit with a resourceVersion and no match means Exact, as it did before there was a match.
  const isExact = match === 'Exact' || (match === '' && limit > 0);
  return isExact ? asked : storage.revision;
}

function writeToken(position: Position): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: position.revision, start: position.afterKey })).toString(
    'base64url',
  );
}

function readToken(options: ListOptions): Position {
  if (options.resourceVersion !== undefined && options.resourceVersion !== 0) {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(options.continueToken, 'base64url').toString());
  } catch {
    throw badRequest('continue key is not valid: it was not made by this server');
  }
  if (typeof parsed === 'object' && parsed !== null && 'rv' in parsed && 'start' in parsed) {
    const { rv, start } = parsed;
    if (typeof rv === 'number' && Number.isSafeInteger(rv) && typeof start === 'string')
      return { revision: rv, afterKey: start };
  }
  throw badRequest('continue key is not valid: it was not made by this server');
}
