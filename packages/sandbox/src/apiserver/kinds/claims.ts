import { compareQuantities, parseQuantity } from '@holdfast/core';
import { ageColumn, column, nameColumn, phaseOf, shortAccessModes, textColumn } from '../columns.ts';
import type { FieldError } from '../field-errors.ts';
import { forbiddenField, immutable, invalidValue, notSupported, required } from '../field-errors.ts';
import type { JsonObject } from '../json.ts';
import { ensureObject, equalJson, isObject, listAt, objectAt, setDefault, stringAt } from '../json.ts';
import type { Kind } from '../kind.ts';
import { dnsSubdomain } from '../name-rules.ts';
import type { ApiObject, DraftObject } from '../objects.ts';
import { forbidden } from '../status.ts';
import type { Storage } from '../storage.ts';
import { addFinalizer, validateAccessModes } from './volume-rules.ts';

const classAnnotation = 'volume.beta.kubernetes.io/storage-class';
const resource = { group: '', plural: 'persistentvolumeclaims', kind: 'PersistentVolumeClaim' };

/** The class of a claim: the annotation of old wins, as in upstream's GetPersistentVolumeClaimClass. */
function className(claim: JsonObject): string | undefined {
  return stringAt(claim, 'metadata', 'annotations', classAnnotation) ?? stringAt(claim, 'spec', 'storageClassName');
}

/** The DefaultStorageClass admission plug-in: the newest class marked as default, by name among equals. */
function setDefaultClass(claim: DraftObject, storage: Storage): void {
  if (className(claim) !== undefined) return;
  const defaults = storage
    .list('storage.k8s.io/storageclasses')
    .filter((item) => item.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true')
    .sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1));
  const chosen = defaults[0];
  if (chosen !== undefined) ensureObject(claim, 'spec')['storageClassName'] = chosen.metadata.name;
}

function validate(claim: ApiObject): FieldError[] {
  const spec = objectAt(claim, 'spec');
  if (spec === undefined) return [required('spec')];
  const errors = validateAccessModes(
    'spec.accessModes',
    listAt(spec, 'accessModes'),
    'at least 1 access mode is required',
  );
  const request = stringAt(spec, 'resources', 'requests', 'storage');
  if (request === undefined) errors.push(required('spec.resources[storage]'));
  else if (compareQuantities(parseQuantity(request), parseQuantity('0')) <= 0) {
    errors.push(invalidValue('spec.resources[storage]', request, 'must be greater than zero'));
  }
  const name = stringAt(spec, 'storageClassName');
  const wrongName = name === undefined || name === '' ? undefined : dnsSubdomain(name);
  if (wrongName !== undefined) errors.push(invalidValue('spec.storageClassName', name, wrongName));
  const mode = stringAt(spec, 'volumeMode');
  if (mode !== undefined && mode !== 'Block' && mode !== 'Filesystem') {
    errors.push(notSupported('spec.volumeMode', mode, ['Block', 'Filesystem']));
  }
  return errors;
}

/** What may change in a spec: volumeName once, the class while there is none, size and attributes class once bound. */
function validateUpdate(next: ApiObject, previous: ApiObject): FieldError[] {
  const before = structuredClone(objectAt(previous, 'spec') ?? {});
  const after = structuredClone(objectAt(next, 'spec') ?? {});
  if ((stringAt(before, 'volumeName') ?? '') === '') copyField(after, before, 'volumeName');
  if (className(previous) === undefined) copyField(after, before, 'storageClassName');
  if (stringAt(previous, 'status', 'phase') === 'Bound') {
    const requests = objectAt(before, 'resources', 'requests');
    const nextRequests = objectAt(after, 'resources', 'requests');
    if (requests !== undefined && nextRequests !== undefined) copyField(requests, nextRequests, 'storage');
    copyField(before, after, 'volumeAttributesClassName');
  }
  if (!equalJson(before, after)) {
    const why =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    return [forbiddenField('spec', why), ...validateShrink(next, previous), ...validateMode(next, previous)];
  }
  return validateShrink(next, previous);
}

function validateMode(next: ApiObject, previous: ApiObject): FieldError[] {
  const mode = stringAt(next, 'spec', 'volumeMode');
  return mode === stringAt(previous, 'spec', 'volumeMode') ? [] : [immutable('volumeMode', mode)];
}

function copyField(from: JsonObject, to: JsonObject, key: string): void {
  if (from[key] === undefined) delete to[key];
  else to[key] = from[key];
}

/** A failed growth may be taken back, down to just above what the volume has (KEP-1790). */
function validateShrink(next: ApiObject, previous: ApiObject): FieldError[] {
  const path = ['spec', 'resources', 'requests', 'storage'];
  const asked = parseQuantity(stringAt(next, ...path) ?? '0');
  if (compareQuantities(asked, parseQuantity(stringAt(previous, ...path) ?? '0')) >= 0) return [];
  const capacity = parseQuantity(stringAt(previous, 'status', 'capacity', 'storage') ?? '0');
  if (compareQuantities(asked, capacity) > 0) return [];
  return [forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity')];
}

/** The PersistentVolumeClaimResize admission plug-in. */
function admitUpdate(next: ApiObject, previous: ApiObject, storage: Storage): void {
  const path = ['spec', 'resources', 'requests', 'storage'];
  const asked = parseQuantity(stringAt(next, ...path) ?? '0');
  if (compareQuantities(asked, parseQuantity(stringAt(previous, ...path) ?? '0')) <= 0) return;
  const name = next.metadata.name;
  if (stringAt(previous, 'status', 'phase') !== 'Bound') {
    throw forbidden(resource, name, 'Only bound persistent volume claims can be expanded');
  }
  const wanted = className(next) ?? '';
  const found = wanted === '' ? undefined : storage.get('storage.k8s.io/storageclasses', wanted);
  if (wanted !== className(previous) || found?.['allowVolumeExpansion'] !== true) {
    const why =
      'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
    throw forbidden(resource, name, why);
  }
}

/** The old field and the new one for what a claim is filled from say the same (KEP-1495), unless it is in another namespace. */
function shareDataSource(spec: JsonObject): void {
  const { dataSource, dataSourceRef } = spec;
  if (isObject(dataSource)) setDefault(spec, 'dataSourceRef', { ...dataSource });
  if (isObject(dataSourceRef) && dataSourceRef['namespace'] === undefined)
    setDefault(spec, 'dataSource', { ...dataSourceRef });
}

export const claims: Kind = {
  ...resource,
  version: 'v1',
  singular: 'persistentvolumeclaim',
  isNamespaced: true,
  shortNames: ['pvc'],
  hasStatus: true,
  isCreatedWithoutStatus: true,
  applyDefaults(claim) {
    setDefault(ensureObject(claim, 'spec'), 'volumeMode', 'Filesystem');
    setDefault(ensureObject(claim, 'status'), 'phase', 'Pending');
  },
  admitCreate(claim, storage) {
    setDefaultClass(claim, storage);
    addFinalizer(claim, 'kubernetes.io/pvc-protection');
  },
  prepareCreate(claim) {
    shareDataSource(ensureObject(claim, 'spec'));
    claim['status'] = { phase: 'Pending' };
  },
  validate,
  validateUpdate,
  admitUpdate,
  columns: [
    nameColumn,
    column('Status', phaseOf),
    textColumn('Volume', 'spec', 'volumeName'),
    column('Capacity', (claim) => boundOnly(claim, stringAt(claim, 'status', 'capacity', 'storage') ?? '')),
    column('Access Modes', (claim) => boundOnly(claim, shortAccessModes(listAt(claim, 'status', 'accessModes')))),
    column('StorageClass', (claim) => className(claim) ?? ''),
    column('VolumeAttributesClass', (claim) => stringAt(claim, 'spec', 'volumeAttributesClassName') ?? '<unset>'),
    ageColumn,
    column('VolumeMode', (claim) => stringAt(claim, 'spec', 'volumeMode') ?? '<unset>', 1),
  ],
};

function boundOnly(claim: ApiObject, text: string): string {
  return (stringAt(claim, 'spec', 'volumeName') ?? '') === '' ? '' : text;
}
