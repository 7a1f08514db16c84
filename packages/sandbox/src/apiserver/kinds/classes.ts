import { ageColumn, column, nameColumn, textColumn } from '../columns.ts';
import type { FieldError } from '../field-errors.ts';
import { forbiddenField, immutable, notSupported, required } from '../field-errors.ts';
import { equalJson, isStringMap, setDefault, stringAt } from '../json.ts';
import type { Kind } from '../kind.ts';
import { qualifiedName } from '../name-rules.ts';
import type { ApiObject } from '../objects.ts';

const defaultClass = 'storageclass.kubernetes.io/is-default-class';

function validate(object: ApiObject): FieldError[] {
  const errors: FieldError[] = [];
  const provisioner = stringAt(object, 'provisioner') ?? '';
  if (provisioner === '') errors.push(required('provisioner'));
  else if (qualifiedName(provisioner.toLowerCase()) !== undefined) {
    errors.push({
      field: 'provisioner',
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(provisioner)}: ${qualifiedName(provisioner.toLowerCase())}`,
    });
  }
  const policy = stringAt(object, 'reclaimPolicy');
  if (policy !== undefined && policy !== 'Delete' && policy !== 'Retain') {
    errors.push(notSupported('reclaimPolicy', policy, ['Delete', 'Retain']));
  }
  const mode = stringAt(object, 'volumeBindingMode');
  if (mode !== undefined && mode !== 'Immediate' && mode !== 'WaitForFirstConsumer') {
    errors.push(notSupported('volumeBindingMode', mode, ['Immediate', 'WaitForFirstConsumer']));
  }
  for (const [key, value] of Object.entries(object)) {
    if (key === 'parameters' && !isStringMap(value))
      errors.push(forbiddenField('parameters', 'must be a map of strings'));
  }
  return errors;
}

function validateUpdate(next: ApiObject, previous: ApiObject): FieldError[] {
  const errors = ['parameters', 'provisioner', 'reclaimPolicy']
    .filter((field) => !equalJson(next[field], previous[field]))
    .map((field) => forbiddenField(field, `updates to ${field} are forbidden.`));
  if (!equalJson(next['volumeBindingMode'], previous['volumeBindingMode'])) {
    errors.push(immutable('volumeBindingMode', next['volumeBindingMode']));
  }
  return errors;
}

export const storageClasses: Kind = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  singular: 'storageclass',
  isNamespaced: false,
  shortNames: ['sc'],
  applyDefaults(object) {
    setDefault(object, 'reclaimPolicy', 'Delete');
    setDefault(object, 'volumeBindingMode', 'Immediate');
  },
  validate,
  validateUpdate,
  columns: [
    {
      ...nameColumn,
      cell: ({ metadata }) => `${metadata.name}${metadata.annotations?.[defaultClass] === 'true' ? ' (default)' : ''}`,
    },
    textColumn('Provisioner', 'provisioner'),
    textColumn('ReclaimPolicy', 'reclaimPolicy'),
    textColumn('VolumeBindingMode', 'volumeBindingMode'),
    column('AllowVolumeExpansion', (object) => object['allowVolumeExpansion'] === true),
    ageColumn,
  ],
};

export const volumeAttributesClasses: Kind = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  plural: 'volumeattributesclasses',
  singular: 'volumeattributesclass',
  isNamespaced: false,
  shortNames: ['vac'],
  validate: (object) => ((stringAt(object, 'driverName') ?? '') === '' ? [required('driverName')] : []),
  validateUpdate: (next, previous) =>
    ['driverName', 'parameters']
      .filter((field) => !equalJson(next[field], previous[field]))
      .map((field) => immutable(field, next[field])),
  columns: [nameColumn, textColumn('DriverName', 'driverName'), ageColumn],
};
