import type { FieldError } from './field-errors.ts';
import { forbiddenField, immutable, invalidValue, required, tooLong } from './field-errors.ts';
import type { JsonValue } from './json.ts';
import { listAt, stringAt, valueAt } from './json.ts';
import type { Kind } from './kind.ts';
import type { NameRule } from './name-rules.ts';
import { dnsLabel, dnsSubdomain, labelValue, qualifiedName } from './name-rules.ts';
import type { ApiObject, DraftMeta, Meta } from './objects.ts';

const standardFinalizers = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);
const annotationLimitBytes = 256 * 1024;

export function validateMeta(kind: Kind, meta: Meta): FieldError[] {
  const errors: FieldError[] = [];
  const check = (field: string, value: string, rule: NameRule, shown = value): void => {
    const wrong = rule(value);
    if (wrong !== undefined) errors.push(invalidValue(field, shown, wrong));
  };
  const prefix = meta['generateName'];
  // What is put behind it may make a good name of one that ends in a dash.
  if (typeof prefix === 'string')
    check('metadata.generateName', prefix.replace(/-$/, 'a'), kind.nameRule ?? dnsSubdomain, prefix);
  if (meta.name === '') errors.push(required('metadata.name', 'name or generateName is required'));
  else check('metadata.name', meta.name, kind.nameRule ?? dnsSubdomain);
  if (meta.namespace !== undefined) check('metadata.namespace', meta.namespace, dnsLabel);
  for (const [key, value] of Object.entries(meta.labels ?? {})) {
    check('metadata.labels', key, qualifiedName);
    check('metadata.labels', value, labelValue);
  }
  let annotationBytes = 0;
  for (const [key, value] of Object.entries(meta.annotations ?? {})) {
    check('metadata.annotations', key.toLowerCase(), qualifiedName, key);
    annotationBytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (annotationBytes > annotationLimitBytes) errors.push(tooLong('metadata.annotations', annotationLimitBytes));
  errors.push(...validateOwners(listAt(meta, 'ownerReferences')));
  for (const finalizer of meta.finalizers ?? []) check('metadata.finalizers', finalizer, qualifiedName);
  errors.push(...validateStandardFinalizers(meta.finalizers ?? []));
  return errors;
}

function validateStandardFinalizers(finalizers: readonly string[]): FieldError[] {
  const field = 'metadata.finalizers';
  const errors = [...finalizers.entries()]
    .filter(([, finalizer]) => !finalizer.includes('/') && !standardFinalizers.has(finalizer))
    .map(([index, finalizer]) => {
      const why = 'name is neither a standard finalizer name nor is it fully qualified';
      return invalidValue(`${field}[${index}]`, finalizer, why);
    });
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(invalidValue(field, [...finalizers], 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
  return errors;
}

function validateOwners(owners: readonly JsonValue[]): FieldError[] {
  const field = 'metadata.ownerReferences';
  const errors: FieldError[] = [];
  let controller: string | undefined;
  for (const owner of owners) {
    for (const part of ['apiVersion', 'kind', 'name', 'uid']) {
      if ((stringAt(owner, part) ?? '') !== '') continue;
      errors.push(invalidValue(`${field}.${part}`, '', `${part === 'apiVersion' ? 'version ' : ''}must not be empty`));
    }
    if (valueAt(owner, 'controller') !== true) continue;
    const name = `${stringAt(owner, 'kind') ?? ''}/${stringAt(owner, 'name') ?? ''}`;
    if (controller === undefined) controller = name;
    else {
      const why = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`;
      errors.push(invalidValue(field, [...owners], why));
    }
  }
  return errors;
}

const deletionFields = ['deletionTimestamp', 'deletionGracePeriodSeconds'];

/** Deletion is asked for by DELETE alone, and once it has been, finalizers may only go. */
export function validateMetaUpdate(next: ApiObject, previous: ApiObject, sent: DraftMeta): FieldError[] {
  const errors = deletionFields
    .filter((field) => sent[field] !== undefined && sent[field] !== previous.metadata[field])
    .map((field) => immutable(`metadata.${field}`, sent[field]));
  if (previous.metadata.deletionTimestamp === undefined) return errors;
  const before = new Set(previous.metadata.finalizers);
  const added = (next.metadata.finalizers ?? []).filter((finalizer) => !before.has(finalizer));
  if (added.length > 0) {
    const list = added
      .sort()
      .map((finalizer) => JSON.stringify(finalizer))
      .join(', ');
    const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
    errors.push(forbiddenField('metadata.finalizers', why));
  }
  return errors;
}
