import type { User } from '../auth.ts';
import type { JsonValue } from '../json.ts';
import { listAt, stringAt } from '../json.ts';
import { storageName } from '../kind.ts';
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from '../kinds/rbac.ts';
import type { ApiObject } from '../objects.ts';
import { ApiError } from '../status.ts';
import type { Storage } from '../storage.ts';
import type { Attributes, PolicyRule } from './rules.ts';
import { readRule, ruleAllows } from './rules.ts';

/** Whoever is in it may do everything, whatever roles say. */
const superusers = 'system:masters';

export interface Decision {
  readonly isAllowed: boolean;
  /** By what it is allowed, or what went wrong on the way to a no; '' when there is nothing to say. */
  readonly reason: string;
}

export interface Authorizer {
  decide(user: User, wanted: Attributes): Decision;
  /** Every rule that holds for a user in a namespace ('': in the whole cluster), and what could not be found. */
  rulesFor(
    user: User,
    namespace: string,
  ): { readonly rules: readonly PolicyRule[]; readonly problems: readonly string[] };
}

/** Role-based access control, from the roles and bindings that are stored at the time. */
export function createAuthorizer({ storage }: { readonly storage: Storage }): Authorizer {
  return {
    decide(user, wanted) {
      if (user.groups.includes(superusers)) return { isAllowed: true, reason: '' };
      const problems: string[] = [];
      for (const grant of grantsOf(storage, user, wanted.kind === 'resource' ? wanted.namespace : '')) {
        if (grant.rules === undefined) problems.push(grant.problem);
        else if (grant.rules.some((rule) => ruleAllows(rule, wanted)))
          return { isAllowed: true, reason: `RBAC: allowed by ${grant.source}` };
      }
      return { isAllowed: false, reason: problems.length === 0 ? '' : `RBAC: ${aggregate(problems)}` };
    },
    rulesFor(user, namespace) {
      const grants = [...grantsOf(storage, user, namespace)];
      return {
        rules: grants.flatMap(({ rules = [] }) => rules),
        problems: grants.flatMap((grant) => (grant.rules === undefined ? [grant.problem] : [])),
      };
    },
  };
}

type Grant =
  | { readonly rules: readonly PolicyRule[]; readonly source: string }
  | { readonly rules?: undefined; readonly problem: string };

/** One for each binding that names the user: those of the cluster, then those of the namespace. */
function* grantsOf(storage: Storage, user: User, namespace: string): Generator<Grant> {
  for (const binding of storage.list(storageName(clusterRoleBindings))) {
    const grant = grantOf(storage, user, binding, '');
    if (grant !== undefined) yield grant;
  }
  if (namespace === '') return;
  for (const binding of storage.list(storageName(roleBindings), namespace)) {
    const grant = grantOf(storage, user, binding, namespace);
    if (grant !== undefined) yield grant;
  }
}

function grantOf(storage: Storage, user: User, binding: ApiObject, namespace: string): Grant | undefined {
  const subject = listAt(binding, 'subjects').find((candidate) => isSubject(user, candidate, namespace));
  if (subject === undefined) return undefined;
  const roleKind = stringAt(binding, 'roleRef', 'kind') === 'Role' ? roles : clusterRoles;
  const name = stringAt(binding, 'roleRef', 'name') ?? '';
  const role = storage.get(storageName(roleKind), roleKind === roles ? `${namespace}/${name}` : name);
  if (role === undefined) {
    return { problem: `${roleKind.singular}.${roleKind.group} ${JSON.stringify(name)} not found` };
  }
  const { name: bindingName } = binding.metadata;
  const whose = JSON.stringify(namespace === '' ? bindingName : `${bindingName}/${namespace}`);
  const source = `${binding.kind} ${whose} of ${roleKind.kind} ${JSON.stringify(name)} to ${describe(subject, namespace)}`;
  return { rules: listAt(role, 'rules').map(readRule), source };
}

function isSubject(user: User, subject: JsonValue, namespace: string): boolean {
  const name = stringAt(subject, 'name') ?? '';
  switch (stringAt(subject, 'kind') ?? '') {
    case 'User':
      return user.username === name;
    case 'Group':
      return user.groups.includes(name);
    case 'ServiceAccount': {
      const home = homeOf(subject, namespace);
      return home !== '' && user.username === `system:serviceaccount:${home}:${name}`;
    }
    default:
      return false;
  }
}

/** An account without a namespace is of the binding's. */
function homeOf(subject: JsonValue, namespace: string): string {
  const own = stringAt(subject, 'namespace') ?? '';
  return own === '' ? namespace : own;
}

function describe(subject: JsonValue, namespace: string): string {
  const [kind = '', name = ''] = ['kind', 'name'].map((of) => stringAt(subject, of));
  return `${kind} ${JSON.stringify(kind === 'ServiceAccount' ? `${name}/${homeOf(subject, namespace)}` : name)}`;
}

/** As Go prints an aggregate of errors. */
function aggregate(problems: readonly string[]): string {
  const unique = [...new Set(problems)];
  return unique.length === 1 ? (unique[0] ?? '') : `[${unique.join(', ')}]`;
}

/** The refusal in upstream's words: which user, which verb, which resource, where. */
export function forbiddenTo(user: User, wanted: Attributes, reason: string): ApiError {
  const who = `User ${JSON.stringify(user.username)} cannot ${wanted.verb}`;
  const because = reason === '' ? '' : `: ${reason}`;
  if (wanted.kind === 'path') {
    const message = `forbidden: ${who} path ${JSON.stringify(wanted.path)}${because}`;
    return new ApiError(403, 'Forbidden', message, {});
  }
  const { group, resource, subresource, name, namespace } = wanted;
  const what = JSON.stringify(subresource === '' ? resource : `${resource}/${subresource}`);
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  const qualified = group === '' ? resource : `${resource}.${group}`;
  const label = name === '' ? qualified : `${qualified} ${JSON.stringify(name)}`;
  const message = `${label} is forbidden: ${who} resource ${what} in API group ${JSON.stringify(group)} ${where}${because}`;
  const details = {
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { group }),
    kind: resource,
  };
  return new ApiError(403, 'Forbidden', message, details);
}
