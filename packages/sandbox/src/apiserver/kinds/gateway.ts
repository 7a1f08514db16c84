import { ageColumn, nameColumn } from '../columns.ts';
import type { FieldError } from '../field-errors.ts';
import { invalidValue, required } from '../field-errors.ts';
import { isObject, listAt, objectAt } from '../json.ts';
import type { Kind } from '../kind.ts';
import type { ApiObject } from '../objects.ts';

const MAX_ITEMS = 16;
const fields = { from: ['group', 'kind', 'namespace'], to: ['group', 'kind'] } as const;

function validate(object: ApiObject): FieldError[] {
  const spec = objectAt(object, 'spec');
  if (spec === undefined) return [];
  return (['from', 'to'] as const).flatMap((list): FieldError[] => {
    if (spec[list] === undefined) return [required(`spec.${list}`)];
    const items = listAt(spec, list);
    if (items.length === 0) {
      return [invalidValue(`spec.${list}`, 0, `spec.${list} in body should have at least 1 items`)];
    }
    if (items.length > MAX_ITEMS) {
      return [invalidValue(`spec.${list}`, items.length, `must have at most ${MAX_ITEMS} items`)];
    }
    return items.flatMap((item, index) =>
      fields[list]
        .filter((field) => !isObject(item) || item[field] === undefined)
        .map((field) => required(`spec.${list}[${index}].${field}`)),
    );
  });
}

/** Of the Gateway API. It has v1 too since 1.5; the sidecars ask for v1beta1. */
export const referenceGrants: Kind = {
  group: 'gateway.networking.k8s.io',
  version: 'v1beta1',
  kind: 'ReferenceGrant',
  plural: 'referencegrants',
  singular: 'referencegrant',
  isNamespaced: true,
  isCustom: true,
  shortNames: ['refgrant'],
  categories: ['gateway-api'],
  hasGeneration: true,
  needsResourceVersion: true,
  validate,
  columns: [nameColumn, ageColumn],
};
