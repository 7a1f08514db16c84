import { ageColumn, nameColumn, textColumn } from '../columns.ts';
import type { FieldError } from '../field-errors.ts';
import { invalidValue } from '../field-errors.ts';
import { numberAt } from '../json.ts';
import type { Kind } from '../kind.ts';
import type { ApiObject } from '../objects.ts';

/** An empty holder is allowed: that is how a leader gives its lease back (kubernetes, ValidateLeaseSpec). */
function validate(lease: ApiObject): FieldError[] {
  const errors: FieldError[] = [];
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
