import { ageColumn, column, nameColumn } from '../columns.ts';
import type { FieldError } from '../field-errors.ts';
import { invalidValue, notSupported, required } from '../field-errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { ensureObject, equalJson, isObject, listAt, objectAt, setDefault, stringAt, textsAt } from '../json.ts';
import type { Kind } from '../kind.ts';
import { dnsSubdomain, pathSegment } from '../name-rules.ts';
import type { ApiObject, DraftObject } from '../objects.ts';

const rbacGroup = 'rbac.authorization.k8s.io';

const common = {
  group: rbacGroup,
  version: 'v1',
  nameRule: pathSegment,
  canCreateOnUpdate: true,
  answersDeleteWithStatus: true,
} as const;

function validateRule(rule: JsonValue, field: string, isNamespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if (textsAt(rule, 'verbs').length === 0)
    errors.push(required(`${field}.verbs`, 'verbs must contain at least one value'));
  const urls = textsAt(rule, 'nonResourceURLs');
  const [groups, resources, names] = ['apiGroups', 'resources', 'resourceNames'].map((of) => textsAt(rule, of).length);
  if (urls.length > 0) {
    const refuse = (why: string): unknown => errors.push(invalidValue(`${field}.nonResourceURLs`, urls, why));
    if (isNamespaced) refuse('namespaced rules cannot apply to non-resource URLs');
    if (groups !== 0 || resources !== 0 || names !== 0)
      refuse('rules cannot apply to both regular resources and non-resource URLs');
    return errors;
  }
  if (groups === 0) errors.push(required(`${field}.apiGroups`, 'resource rules must supply at least one api group'));
  if (resources === 0) errors.push(required(`${field}.resources`, 'resource rules must supply at least one resource'));
  return errors;
}

function validateRules(role: ApiObject, isNamespaced: boolean): FieldError[] {
  return listAt(role, 'rules').flatMap((rule, index) => validateRule(rule, `rules[${index}]`, isNamespaced));
}

const createdColumn = column('Created At', ({ metadata }) => metadata.creationTimestamp);

export const roles: Kind = {
  ...common,
  kind: 'Role',
  plural: 'roles',
  singular: 'role',
  isNamespaced: true,
  applyDefaults: (role) => setDefault(role, 'rules', null),
  validate: (role) => validateRules(role, true),
  columns: [nameColumn, createdColumn],
};

export const clusterRoles: Kind = {
  ...common,
  kind: 'ClusterRole',
  plural: 'clusterroles',
  singular: 'clusterrole',
  isNamespaced: false,
  applyDefaults: (role) => setDefault(role, 'rules', null),
  validate(role) {
    const errors = validateRules(role, false);
    const rule = objectAt(role, 'aggregationRule');
    if (rule !== undefined && listAt(rule, 'clusterRoleSelectors').length === 0) {
      const why = 'at least one clusterRoleSelector required if aggregationRule is non-nil';
      errors.push(required('aggregationRule.clusterRoleSelectors', why));
    }
    return errors;
  },
  columns: [nameColumn, createdColumn],
};

/** To Go, empty text is as good as none. */
function setGroup(reference: JsonObject): void {
  if ((stringAt(reference, 'apiGroup') ?? '') === '') reference['apiGroup'] = rbacGroup;
}

function applyBindingDefaults(binding: DraftObject): void {
  if (binding['subjects'] !== undefined && listAt(binding, 'subjects').length === 0) delete binding['subjects'];
  setGroup(ensureObject(binding, 'roleRef'));
  for (const subject of listAt(binding, 'subjects')) {
    const kind = stringAt(subject, 'kind');
    if (isObject(subject) && (kind === 'User' || kind === 'Group')) setGroup(subject);
  }
}

function validateSubject(subject: JsonValue, field: string, isNamespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const [kind = '', name = '', apiGroup = '', namespace = ''] = ['kind', 'name', 'apiGroup', 'namespace'].map((of) =>
    stringAt(subject, of),
  );
  if (name === '') errors.push(required(`${field}.name`));
  switch (kind) {
    case 'ServiceAccount': {
      const wrong = name === '' ? undefined : dnsSubdomain(name);
      if (wrong !== undefined) errors.push(invalidValue(`${field}.name`, name, wrong));
      if (apiGroup !== '') errors.push(notSupported(`${field}.apiGroup`, apiGroup, ['']));
      if (!isNamespaced && namespace === '') errors.push(required(`${field}.namespace`));
      break;
    }
    case 'User':
    case 'Group':
      if (apiGroup !== rbacGroup) errors.push(notSupported(`${field}.apiGroup`, apiGroup, [rbacGroup]));
      break;
    default:
      errors.push(notSupported(`${field}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
  }
  return errors;
}

function validateBinding(binding: ApiObject, isNamespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const roleKinds = isNamespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  const [apiGroup = '', kind = '', name = ''] = ['apiGroup', 'kind', 'name'].map((of) =>
    stringAt(binding, 'roleRef', of),
  );
  if (apiGroup !== rbacGroup) errors.push(notSupported('roleRef.apiGroup', apiGroup, [rbacGroup]));
  if (!roleKinds.includes(kind)) errors.push(notSupported('roleRef.kind', kind, roleKinds));
  const wrong = pathSegment(name);
  if (name === '') errors.push(required('roleRef.name'));
  else if (wrong !== undefined) errors.push(invalidValue('roleRef.name', name, wrong));
  const subjects = listAt(binding, 'subjects');
  return [
    ...errors,
    ...subjects.flatMap((subject, index) => validateSubject(subject, `subjects[${index}]`, isNamespaced)),
  ];
}

function validateBindingUpdate(next: ApiObject, previous: ApiObject): FieldError[] {
  if (equalJson(next['roleRef'], previous['roleRef'])) return [];
  // Printed as the Go struct that is compared, whose fields have no JSON names.
  const [APIGroup, Kind, Name] = ['apiGroup', 'kind', 'name'].map((of) => stringAt(next, 'roleRef', of) ?? '');
  return [invalidValue('roleRef', { APIGroup, Kind, Name }, 'cannot change roleRef')];
}

function subjectNames(binding: ApiObject, kind: string): string {
  return listAt(binding, 'subjects')
    .filter((subject) => stringAt(subject, 'kind') === kind)
    .map((subject) => {
      const namespace = kind === 'ServiceAccount' ? `${stringAt(subject, 'namespace') ?? ''}/` : '';
      return `${namespace}${stringAt(subject, 'name') ?? ''}`;
    })
    .join(', ');
}

const bindingColumns = [
  nameColumn,
  column('Role', (binding) => ['kind', 'name'].map((of) => stringAt(binding, 'roleRef', of)).join('/')),
  ageColumn,
  column('Users', (binding) => subjectNames(binding, 'User'), 1),
  column('Groups', (binding) => subjectNames(binding, 'Group'), 1),
  column('ServiceAccounts', (binding) => subjectNames(binding, 'ServiceAccount'), 1),
];

export const roleBindings: Kind = {
  ...common,
  kind: 'RoleBinding',
  plural: 'rolebindings',
  singular: 'rolebinding',
  isNamespaced: true,
  applyDefaults: applyBindingDefaults,
  validate: (binding) => validateBinding(binding, true),
  validateUpdate: validateBindingUpdate,
  columns: bindingColumns,
};

export const clusterRoleBindings: Kind = {
  ...common,
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  singular: 'clusterrolebinding',
  isNamespaced: false,
  applyDefaults: applyBindingDefaults,
  validate: (binding) => validateBinding(binding, false),
  validateUpdate: validateBindingUpdate,
  columns: bindingColumns,
};
