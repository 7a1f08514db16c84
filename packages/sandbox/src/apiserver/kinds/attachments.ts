import { ageColumn, booleanColumn, nameColumn, textColumn } from '../columns.ts';
import type { FieldError } from '../field-errors.ts';
import { forbiddenField, immutable, invalidValue, required } from '../field-errors.ts';
import { ensureObject, equalJson, objectAt, setDefault, stringAt, valueAt } from '../json.ts';
import type { Kind } from '../kind.ts';
import { dnsSubdomain } from '../name-rules.ts';
import type { ApiObject } from '../objects.ts';

function validate(attachment: ApiObject): FieldError[] {
  const errors: FieldError[] = [];
  if ((stringAt(attachment, 'spec', 'attacher') ?? '') === '') errors.push(required('spec.attacher'));
  const source = objectAt(attachment, 'spec', 'source') ?? {};
  const name = stringAt(source, 'persistentVolumeName');
  const exactlyOne = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  if (name === undefined && source['inlineVolumeSpec'] === undefined) errors.push(required('spec.source', exactlyOne));
  else if (name !== undefined && source['inlineVolumeSpec'] !== undefined) {
    errors.push(forbiddenField('spec.source', exactlyOne));
  } else if (name === '') {
    errors.push(required('spec.source.persistentVolumeName', 'must specify non empty persistentVolumeName'));
  }
  const nodeName = stringAt(attachment, 'spec', 'nodeName') ?? '';
  const wrong = dnsSubdomain(nodeName);
  if (wrong !== undefined) errors.push(invalidValue('spec.nodeName', nodeName, wrong));
  return errors;
}

export const volumeAttachments: Kind = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  singular: 'volumeattachment',
  isNamespaced: false,
  hasStatus: true,
  hasStatusApartFromMetadata: true,
  needsResourceVersion: true,
  prepareCreate(attachment) {
    attachment['status'] = { attached: false };
  },
  prepareUpdate(next) {
    setDefault(ensureObject(next, 'status'), 'attached', false);
  },
  validate,
  validateUpdate: (next, previous) =>
    equalJson(next['spec'], previous['spec']) ? [] : [immutable('spec', next['spec'])],
  columns: [
    nameColumn,
    { ...textColumn('Attacher', 'spec', 'attacher'), format: 'name' },
    textColumn('PV', 'spec', 'source', 'persistentVolumeName'),
    textColumn('Node', 'spec', 'nodeName'),
    booleanColumn('Attached', (attachment) => valueAt(attachment, 'status', 'attached') === true),
    ageColumn,
  ],
};
