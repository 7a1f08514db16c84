import { ageColumn, column, nameColumn, textColumn } from '../columns.ts';
import type { FieldError } from '../field-errors.ts';
import { invalidValue, notSupported, required } from '../field-errors.ts';
import type { JsonObject } from '../json.ts';
import { numberAt, objectAt, stringAt, valueAt } from '../json.ts';
import type { Kind } from '../kind.ts';
import type { ApiObject } from '../objects.ts';

// Kinds of external-snapshotter's CustomResourceDefinitions. Their rules are CEL expressions upstream; the messages are theirs.

const group = 'snapshot.storage.k8s.io';
const policies = ['Delete', 'Retain'];

function requiredFields(object: JsonObject, path: string, fields: readonly string[]): FieldError[] {
  return fields.filter((field) => object[field] === undefined).map((field) => required(`${path}${field}`));
}

function deletionPolicy(object: JsonObject, path: string): FieldError[] {
  const policy = stringAt(object, 'deletionPolicy');
  return policy === undefined || policies.includes(policy)
    ? []
    : [notSupported(`${path}deletionPolicy`, policy, policies)];
}

function exactlyOne(source: JsonObject | undefined, a: string, b: string): FieldError[] {
  if (source === undefined || (source[a] === undefined) !== (source[b] === undefined)) return [];
  return [invalidValue('spec.source', source, `exactly one of ${a} and ${b} must be set`)];
}

/** What is set once stays as it is. */
function setOnce(
  next: ApiObject,
  previous: ApiObject,
  path: readonly string[],
  fields: readonly string[],
): FieldError[] {
  return fields.flatMap((field) => {
    const before = stringAt(previous, ...path, field);
    const after = stringAt(next, ...path, field);
    if (before === undefined || before === after) return [];
    const where = path.join('.');
    if (after === undefined) {
      return [invalidValue(where, objectAt(next, ...path), `${field} is required once set`)];
    }
    return [invalidValue(`${where}.${field}`, after, `${field} is immutable`)];
  });
}

function validateSnapshot(object: ApiObject): FieldError[] {
  const spec = objectAt(object, 'spec');
  if (spec === undefined) return [required('spec')];
  const errors = requiredFields(spec, 'spec.', ['source']);
  errors.push(...exactlyOne(objectAt(spec, 'source'), 'volumeSnapshotContentName', 'persistentVolumeClaimName'));
  if (stringAt(spec, 'volumeSnapshotClassName') === '') {
    const why = 'volumeSnapshotClassName must not be the empty string when set';
    errors.push(invalidValue('spec.volumeSnapshotClassName', '', why));
  }
  return errors;
}

function validateContent(object: ApiObject): FieldError[] {
  const spec = objectAt(object, 'spec');
  if (spec === undefined) return [required('spec')];
  const errors = requiredFields(spec, 'spec.', ['deletionPolicy', 'driver', 'source', 'volumeSnapshotRef']);
  errors.push(
    ...deletionPolicy(spec, 'spec.'),
    ...exactlyOne(objectAt(spec, 'source'), 'volumeHandle', 'snapshotHandle'),
  );
  const ref = objectAt(spec, 'volumeSnapshotRef');
  if (ref !== undefined && (ref['name'] === undefined || ref['namespace'] === undefined)) {
    const why = 'both spec.volumeSnapshotRef.name and spec.volumeSnapshotRef.namespace must be set';
    errors.push(invalidValue('spec.volumeSnapshotRef', ref, why));
  }
  const size = numberAt(object, 'status', 'restoreSize');
  if (size !== undefined && size < 0) {
    errors.push(
      invalidValue('status.restoreSize', size, 'status.restoreSize in body should be greater than or equal to 0'),
    );
  }
  return errors;
}

const isReady = column('ReadyToUse', (object) => {
  const ready = valueAt(object, 'status', 'readyToUse');
  return ready === undefined ? '' : String(ready === true);
});

export const volumeSnapshots: Kind = {
  group,
  version: 'v1',
  kind: 'VolumeSnapshot',
  plural: 'volumesnapshots',
  singular: 'volumesnapshot',
  isNamespaced: true,
  isCustom: true,
  shortNames: ['vs'],
  hasStatus: true,
  hasGeneration: true,
  needsResourceVersion: true,
  validate: validateSnapshot,
  validateUpdate: (next, previous) =>
    setOnce(next, previous, ['spec', 'source'], ['persistentVolumeClaimName', 'volumeSnapshotContentName']),
  columns: [
    nameColumn,
    isReady,
    textColumn('SourcePVC', 'spec', 'source', 'persistentVolumeClaimName'),
    textColumn('SourceSnapshotContent', 'spec', 'source', 'volumeSnapshotContentName'),
    textColumn('RestoreSize', 'status', 'restoreSize'),
    textColumn('SnapshotClass', 'spec', 'volumeSnapshotClassName'),
    textColumn('SnapshotContent', 'status', 'boundVolumeSnapshotContentName'),
    ageColumn,
  ],
};

export const volumeSnapshotContents: Kind = {
  group,
  version: 'v1',
  kind: 'VolumeSnapshotContent',
  plural: 'volumesnapshotcontents',
  singular: 'volumesnapshotcontent',
  isNamespaced: false,
  isCustom: true,
  shortNames: ['vsc', 'vscs'],
  hasStatus: true,
  hasGeneration: true,
  needsResourceVersion: true,
  validate: validateContent,
  validateUpdate: (next, previous) => [
    ...setOnce(next, previous, ['spec'], ['sourceVolumeMode']),
    ...setOnce(next, previous, ['spec', 'source'], ['volumeHandle', 'snapshotHandle']),
  ],
  columns: [
    nameColumn,
    isReady,
    column('RestoreSize', (object) => String(numberAt(object, 'status', 'restoreSize') ?? '')),
    textColumn('DeletionPolicy', 'spec', 'deletionPolicy'),
    textColumn('Driver', 'spec', 'driver'),
    textColumn('VolumeSnapshotClass', 'spec', 'volumeSnapshotClassName'),
    textColumn('VolumeSnapshot', 'spec', 'volumeSnapshotRef', 'name'),
    textColumn('VolumeSnapshotNamespace', 'spec', 'volumeSnapshotRef', 'namespace'),
    ageColumn,
  ],
};

export const volumeSnapshotClasses: Kind = {
  group,
  version: 'v1',
  kind: 'VolumeSnapshotClass',
  plural: 'volumesnapshotclasses',
  singular: 'volumesnapshotclass',
  isNamespaced: false,
  isCustom: true,
  shortNames: ['vsclass', 'vsclasses'],
  hasGeneration: true,
  needsResourceVersion: true,
  validate: (object) => [...requiredFields(object, '', ['deletionPolicy', 'driver']), ...deletionPolicy(object, '')],
  columns: [nameColumn, textColumn('Driver', 'driver'), textColumn('DeletionPolicy', 'deletionPolicy'), ageColumn],
};
