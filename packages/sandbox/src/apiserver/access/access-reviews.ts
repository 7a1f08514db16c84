import type { User } from '../auth.ts';
import type { FieldError } from '../field-errors.ts';
import { invalidValue } from '../field-errors.ts';
import type { JsonObject } from '../json.ts';
import { objectAt, stringAt, textsAt } from '../json.ts';
import { ApiError, badRequest, invalid } from '../status.ts';
import type { Authorizer } from './authorizer.ts';
import { refuseOtherNamespace } from './read-review.ts';
import type { Attributes, PolicyRule } from './rules.ts';

/** May I? */
export function reviewOwnAccess(authorizer: Authorizer, user: User, sent: JsonObject): JsonObject {
  refuse([...checkAttributes(sent), ...checkMeta(sent, [])]);
  return { ...sent, status: statusOf(authorizer, user, sent) };
}

/** May they? `namespace` is that of the URL; undefined: the review is of the whole cluster. */
export function reviewAccess(authorizer: Authorizer, asked: JsonObject, namespace: string | undefined): JsonObject {
  const sent = namespace === undefined ? asked : inNamespace(asked, namespace);
  const username = stringAt(sent, 'spec', 'user') ?? '';
  const groups = textsAt(sent, 'spec', 'groups');
  const errors = checkAttributes(sent);
  if (username === '' && groups.length === 0) {
    errors.push(invalidValue('spec.user', username, 'at least one of user or group must be specified'));
  }
  errors.push(...checkMeta(sent, namespace === undefined ? [] : ['namespace']));
  if (namespace !== undefined) errors.push(...checkLocal(sent, namespace));
  refuse(errors);
  return { ...sent, status: statusOf(authorizer, { username, groups }, sent) };
}

/** What may I, all of it? */
export function reviewOwnRules(authorizer: Authorizer, user: User, sent: JsonObject): JsonObject {
  const namespace = stringAt(sent, 'spec', 'namespace') ?? '';
  if (namespace === '') throw badRequest('no namespace on request');
  const { rules, problems } = authorizer.rulesFor(user, namespace);
  const status = {
    resourceRules: rules.filter(({ resources }) => resources.length > 0).map(resourceRule),
    nonResourceRules: rules
      .filter(({ nonResourceURLs }) => nonResourceURLs.length > 0)
      .map(({ verbs, nonResourceURLs }) => ({ verbs: [...verbs], nonResourceURLs: [...nonResourceURLs] })),
    incomplete: false,
    ...(problems.length === 0 ? {} : { evaluationError: problems.join(', ') }),
  };
  return { ...sent, spec: {}, status };
}

function resourceRule({ verbs, apiGroups, resources, resourceNames }: PolicyRule): JsonObject {
  const names = resourceNames.length === 0 ? {} : { resourceNames: [...resourceNames] };
  return { verbs: [...verbs], apiGroups: [...apiGroups], resources: [...resources], ...names };
}

function checkAttributes(sent: JsonObject): FieldError[] {
  const of = (field: string): JsonObject | undefined => objectAt(sent, 'spec', field);
  const path = of('nonResourceAttributes');
  const resource = of('resourceAttributes');
  if (path !== undefined && resource !== undefined) {
    const why = 'cannot be specified in combination with resourceAttributes';
    return [invalidValue('spec.nonResourceAttributes', goPath(path), why)];
  }
  if (path !== undefined || resource !== undefined) return [];
  const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
  return [invalidValue('spec.resourceAttributes', null, why)];
}

/** A review has no name of its own; one that names another namespace than its URL is refused. */
function inNamespace(sent: JsonObject, namespace: string): JsonObject {
  refuseOtherNamespace(sent, namespace);
  return { ...sent, metadata: { ...objectAt(sent, 'metadata'), namespace } };
}

function checkMeta(sent: JsonObject, allowed: readonly string[]): FieldError[] {
  const metadata = objectAt(sent, 'metadata') ?? {};
  if (Object.keys(metadata).every((key) => allowed.includes(key))) return [];
  const but = allowed.length === 0 ? '' : ` except for ${allowed.join(', ')}`;
  return [invalidValue('metadata', metadata, `must be empty${but}`)];
}

/** As the Go struct is printed, whose fields have no JSON names. */
function goPath(path: JsonObject): JsonObject {
  return { Path: stringAt(path, 'path') ?? '', Verb: stringAt(path, 'verb') ?? '' };
}

function checkLocal(sent: JsonObject, home: string): FieldError[] {
  const errors: FieldError[] = [];
  const asked = stringAt(sent, 'spec', 'resourceAttributes', 'namespace') ?? '';
  if (objectAt(sent, 'spec', 'resourceAttributes') !== undefined && asked !== home) {
    errors.push(invalidValue('spec.resourceAttributes.namespace', asked, 'must match metadata.namespace'));
  }
  const path = objectAt(sent, 'spec', 'nonResourceAttributes');
  if (path !== undefined) {
    errors.push(invalidValue('spec.nonResourceAttributes', goPath(path), 'disallowed on this kind of request'));
  }
  return errors;
}

/** Upstream takes the kind from an object whose decoding has emptied it, so its refusal names none. */
function refuse(errors: readonly FieldError[]): void {
  if (errors.length === 0) return;
  const { code, reason, message, details } = invalid(
    { group: 'authorization.k8s.io', plural: '', kind: '' },
    '',
    errors,
  );
  const { kind: _, name: _name, ...rest } = details ?? {};
  throw new ApiError(code, reason, message, rest);
}

function statusOf(authorizer: Authorizer, user: User, sent: JsonObject): JsonObject {
  const { isAllowed, reason } = authorizer.decide(user, attributesIn(sent));
  return { allowed: isAllowed, ...(reason === '' ? {} : { reason }) };
}

function attributesIn(sent: JsonObject): Attributes {
  const path = objectAt(sent, 'spec', 'nonResourceAttributes');
  if (path !== undefined) {
    return { kind: 'path', verb: stringAt(path, 'verb') ?? '', path: stringAt(path, 'path') ?? '' };
  }
  const of = (field: string): string => stringAt(sent, 'spec', 'resourceAttributes', field) ?? '';
  return {
    kind: 'resource',
    verb: of('verb'),
    group: of('group'),
    resource: of('resource'),
    subresource: of('subresource'),
    name: of('name'),
    namespace: of('namespace'),
  };
}
