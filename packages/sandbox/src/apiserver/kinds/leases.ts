import { ageColumn, nameColumn, textColumn } from '../columns.ts';
import type { FieldError } from '../field-errors.ts';
import { invalidValue, required } from '../field-errors.ts';
import { numberAt, valueAt } from '../json.ts';
import type { Kind } from '../kind.ts';
import type { ApiObject } from '../objects.ts';

function validate(lease: ApiObject): FieldError[] {
  const errors: FieldError[] = [];
  if (valueAt(lease, 'spec', 'holderIdentity') === '') {
    errors.push(required('spec.holderIdentity', 'holderIdentity must not be empty'));
  }
  const duration = numberAt(lease, 'spec', 'leaseDurationSeconds');
  if (duration !== undefined && duration <= 0) {
    errors.push(invalidValue('spec.leaseDurationSeconds', duration, 'must be greater than 0'));
  }
  const transitions = numberAt(lease, 'spec', 'leaseTransitions');
  if (transitions !== undefined && transitions < 0) {
    errors.push(invalidValue('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'));
  }
  return errors;
}

export const leases: Kind = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  singular: 'lease',
  isNamespaced: true,
  needsResourceVersion: true,
  canCreateOnUpdate: true,
  answersDeleteWithStatus: true,
  validate,
  columns: [nameColumn, textColumn('Holder', 'spec', 'holderIdentity'), ageColumn],
};
