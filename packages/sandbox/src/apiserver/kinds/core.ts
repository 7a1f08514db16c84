import { ageColumn, column, nameColumn, phaseOf, textColumn } from '../columns.ts';
import type { FieldError } from '../field-errors.ts';
import { forbiddenField, immutable, invalidValue, required } from '../field-errors.ts';
import type { JsonObject } from '../json.ts';
import { ensureObject, equalJson, listAt, objectAt, setDefault, stringAt } from '../json.ts';
import type { Kind } from '../kind.ts';
import { dataKey, dnsLabel } from '../name-rules.ts';
import type { ApiObject, DraftObject } from '../objects.ts';

const core = { group: '', version: 'v1' } as const;

/** The NamespaceLifecycle admission plug-in keeps these. */
const immortal = new Set(['default', 'kube-public', 'kube-system']);

export const namespaces: Kind = {
  ...core,
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  isNamespaced: false,
  shortNames: ['ns'],
  nameRule: dnsLabel,
  hasStatus: true,
  lacksDeleteCollection: true,
  applyDefaults(namespace) {
    const { name } = namespace.metadata;
    const labels = { ...namespace.metadata.labels };
    if (name !== undefined) labels['kubernetes.io/metadata.name'] = name;
    namespace.metadata.labels = labels;
  },
  prepareCreate(namespace) {
    // Its content is deleted before it: the namespace loop empties it and then takes this finalizer out through /finalize.
    ensureObject(namespace, 'spec')['finalizers'] = ['kubernetes'];
    namespace['status'] = { phase: 'Active' };
  },
  prepareUpdate(next, previous) {
    ensureObject(next, 'spec')['finalizers'] = [...listAt(previous, 'spec', 'finalizers')];
    if (next.metadata.deletionTimestamp !== undefined) ensureObject(next, 'status')['phase'] = 'Terminating';
  },
  refusesDelete: (name) => (immortal.has(name) ? 'this namespace may not be deleted' : undefined),
  selectableFieldNames: ['status.phase'],
  selectableFields: (namespace) => ({ 'status.phase': stringAt(namespace, 'status', 'phase') ?? '' }),
  columns: [nameColumn, column('Status', phaseOf), ageColumn],
};

function dataCount(object: ApiObject): number {
  return ['data', 'binaryData'].reduce((sum, field) => sum + Object.keys(objectAt(object, field) ?? {}).length, 0);
}

/** `stringData` is write-only: it is folded into `data`, base64. */
function foldStringData(secret: DraftObject): void {
  const plain = objectAt(secret, 'stringData');
  if (plain === undefined) return;
  const data = ensureObject(secret, 'data');
  for (const [key, value] of Object.entries(plain)) {
    if (typeof value === 'string') data[key] = Buffer.from(value).toString('base64');
  }
  delete secret['stringData'];
}

function immutableContent(next: ApiObject, previous: ApiObject): ReturnType<NonNullable<Kind['validateUpdate']>> {
  const errors = equalJson(next['type'], previous['type']) ? [] : [immutable('type', next['type'])];
  if (previous['immutable'] !== true) return errors;
  for (const field of ['data', 'binaryData', 'immutable']) {
    if (!equalJson(next[field], previous[field]))
      errors.push(forbiddenField(field, 'field is immutable when `immutable` is set'));
  }
  return errors;
}

function validateKeys(field: string, data: JsonObject | undefined): FieldError[] {
  return Object.keys(data ?? {}).flatMap((key) => {
    const wrong = dataKey(key);
    return wrong === undefined ? [] : [invalidValue(`${field}[${key}]`, key, wrong)];
  });
}

/** Keys that a Secret of a type must have. */
const neededKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
};

function validateSecret(secret: ApiObject): FieldError[] {
  const data = objectAt(secret, 'data');
  const type = stringAt(secret, 'type') ?? '';
  const missing = (neededKeys[type] ?? []).filter((key) => data?.[key] === undefined);
  if (type === 'kubernetes.io/basic-auth' && data?.['username'] === undefined && data?.['password'] === undefined) {
    missing.push('username', 'password');
  }
  return [...validateKeys('data', data), ...missing.map((key) => required(`data[${key}]`))];
}

function validateConfigMap(map: ApiObject): FieldError[] {
  const data = objectAt(map, 'data');
  const binary = objectAt(map, 'binaryData');
  const twice = Object.keys(data ?? {}).filter((key) => binary?.[key] !== undefined);
  const duplicates = twice.map((key) => invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData'));
  return [...validateKeys('data', data), ...duplicates, ...validateKeys('binaryData', binary)];
}

export const secrets: Kind = {
  ...core,
  kind: 'Secret',
  plural: 'secrets',
  singular: 'secret',
  isNamespaced: true,
  answersDeleteWithStatus: true,
  applyDefaults(secret) {
    setDefault(secret, 'type', 'Opaque');
    foldStringData(secret);
  },
  validate: validateSecret,
  validateUpdate: immutableContent,
  selectableFieldNames: ['type'],
  selectableFields: (secret) => ({ type: stringAt(secret, 'type') ?? '' }),
  columns: [
    nameColumn,
    textColumn('Type', 'type'),
    { name: 'Data', type: 'string', cell: (secret) => dataCount(secret) },
    ageColumn,
  ],
};

export const configMaps: Kind = {
  ...core,
  kind: 'ConfigMap',
  plural: 'configmaps',
  singular: 'configmap',
  isNamespaced: true,
  shortNames: ['cm'],
  answersDeleteWithStatus: true,
  validate: validateConfigMap,
  validateUpdate: immutableContent,
  columns: [nameColumn, { name: 'Data', type: 'string', cell: (map) => dataCount(map) }, ageColumn],
};

export const serviceAccounts: Kind = {
  ...core,
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  singular: 'serviceaccount',
  isNamespaced: true,
  shortNames: ['sa'],
  columns: [
    nameColumn,
    { name: 'Secrets', type: 'string', cell: (account) => listAt(account, 'secrets').length },
    ageColumn,
  ],
};
