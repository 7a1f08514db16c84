import type { User } from '../auth.ts';
import { anonymous } from '../auth.ts';
import { badRequest } from '../status.ts';
import { accountGroups } from './account-tokens.ts';
import type { Authorizer } from './authorizer.ts';
import { forbiddenTo } from './authorizer.ts';
import type { ResourceAttributes } from './rules.ts';

/** A request's headers, lower-case, with each value apart. */
type Headers = Readonly<Record<string, readonly string[] | undefined>>;

const extraPrefix = 'impersonate-extra-';

/**
 * As whom a user acts: `kubectl --as` and `--as-group`. Every part of it takes the verb `impersonate` on its own (apiserver,
 * WithImpersonation). Throws 403.
 */
export function actingUser(authorizer: Authorizer, user: User, headers: Headers): User {
  const username = headers['impersonate-user']?.[0] ?? '';
  const groups = headers['impersonate-group'] ?? [];
  const uid = headers['impersonate-uid']?.[0] ?? '';
  const extra = Object.entries(headers).flatMap(([header, values = []]): [string, readonly string[]][] =>
    header.startsWith(extraPrefix) ? [[unescaped(header.slice(extraPrefix.length)), values]] : [],
  );
  if (username === '') {
    if (groups.length === 0 && uid === '' && extra.length === 0) return user;
    throw badRequest('groups, uid or extra are impersonated without a user: set the header Impersonate-User too');
  }
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username);
  const [, namespace = '', name = ''] = account ?? [];
  const identity = 'authentication.k8s.io';
  const needed: Partial<ResourceAttributes>[] = [
    account === null ? { resource: 'users', name: username } : { resource: 'serviceaccounts', namespace, name },
    ...groups.map((group) => ({ resource: 'groups', name: group })),
    ...(uid === '' ? [] : [{ group: identity, resource: 'uids', name: uid }]),
    ...extra.flatMap(([key, values]) =>
      values.map((value) => ({ group: identity, resource: 'userextras', subresource: key, name: value })),
    ),
  ];
  for (const part of needed) requireImpersonate(authorizer, user, part);
  const own = groups.length === 0 && account !== null ? accountGroups(namespace) : groups;
  return {
    username,
    groups: withLogin(username, own),
    ...(uid === '' ? {} : { uid }),
    ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
  };
}

function requireImpersonate(authorizer: Authorizer, user: User, part: Partial<ResourceAttributes>): void {
  const nothing = { group: '', resource: '', subresource: '', name: '', namespace: '' };
  const wanted: ResourceAttributes = { ...nothing, ...part, kind: 'resource', verb: 'impersonate' };
  const { isAllowed, reason } = authorizer.decide(user, wanted);
  if (!isAllowed) throw forbiddenTo(user, wanted, reason);
}

/** Whoever is acted as counts as logged in, unless the groups say otherwise. */
function withLogin(username: string, groups: readonly string[]): readonly string[] {
  const [authenticated, unauthenticated] = ['system:authenticated', 'system:unauthenticated'];
  if (username === anonymous.username) return groups.includes(unauthenticated) ? groups : [...groups, unauthenticated];
  return groups.includes(authenticated) || groups.includes(unauthenticated) ? groups : [...groups, authenticated];
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
