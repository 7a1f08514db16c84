import { ageColumn, column, nameColumn, textColumn } from '../columns.ts';
import type { FieldError } from '../field-errors.ts';
import { duplicate, forbiddenField, immutable, invalidValue, notSupported, required } from '../field-errors.ts';
import type { JsonValue } from '../json.ts';
import { equalJson, listAt, objectAt, setDefault, stringAt } from '../json.ts';
import type { Kind } from '../kind.ts';
import { qualifiedName } from '../name-rules.ts';
import type { ApiObject } from '../objects.ts';
import { addFinalizer } from './volume-rules.ts';

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
  return [...errors, ...validateParameters(object), ...validateTopologies(listAt(object, 'allowedTopologies'))];
}

function validateParameters(object: ApiObject): FieldError[] {
  const keys = Object.keys(objectAt(object, 'parameters') ?? {});
  return keys.includes('') ? [invalidValue('parameters', '', 'field can not be empty.')] : [];
}

function validateTopologies(terms: readonly JsonValue[]): FieldError[] {
  return terms.flatMap((term, at) => {
    const requirements = listAt(term, 'matchLabelExpressions');
    const field = `allowedTopologies[${at}].matchLabelExpressions`;
    // Upstream compares a term with room it has made for all of them, so that an empty one always has a double.
    if (requirements.length === 0) return terms.map(() => duplicate(field, ''));
    return requirements.flatMap((requirement, index) => {
      const wrong = qualifiedName(stringAt(requirement, 'key') ?? '');
      const ofKey =
        wrong === undefined ? [] : [invalidValue(`${field}[${index}].key`, stringAt(requirement, 'key') ?? '', wrong)];
      const isEmpty = listAt(requirement, 'values').length === 0;
      return [...(isEmpty ? [required(`${field}[${index}].values`)] : []), ...ofKey];
    });
  });
}

function validateUpdate(next: ApiObject, previous: ApiObject): FieldError[] {
  const errors = ['parameters', 'provisioner', 'reclaimPolicy']
    .filter((field) => !equalJson(next[field], previous[field]))
    .map((field) => immutable(field, next[field]));
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
    // Upstream says "string" of it, and sends a boolean.
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
  // Protected from the first moment, as claims and volumes are.
  admitCreate: (object) => addFinalizer(object, 'kubernetes.io/vac-protection'),
  validate(object) {
    const errors = (stringAt(object, 'driverName') ?? '') === '' ? [required('driverName')] : [];
    const hasNone = Object.keys(objectAt(object, 'parameters') ?? {}).length === 0;
    if (hasNone) errors.push(required('parameters', 'must contain at least one key/value pair'));
    return [...errors, ...validateParameters(object)];
  },
  validateUpdate: (next, previous) =>
    ['driverName', 'parameters']
      .filter((field) => !equalJson(next[field], previous[field]))
      .map((field) => forbiddenField(field, `updates to ${field} are forbidden.`)),
  columns: [nameColumn, textColumn('DriverName', 'driverName'), ageColumn],
};
