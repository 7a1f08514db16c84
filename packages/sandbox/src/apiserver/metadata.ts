import type { FieldError } from './field-errors.ts';
import { forbiddenField, immutable, invalidValue, required } from './field-errors.ts';
import type { Kind } from './kind.ts';
import type { NameRule } from './name-rules.ts';
import { dnsLabel, dnsSubdomain, labelValue, qualifiedName } from './name-rules.ts';
import type { ApiObject, DraftMeta, Meta } from './objects.ts';

const standardFinalizers = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);
const annotationLimitBytes = 256 * 1024;

export function validateMeta(kind: Kind, meta: Meta): FieldError[] {
  const errors: FieldError[] = [];
  const check = (field: string, value: string, rule: NameRule): void => {
    const wrong = rule(value);
    if (wrong !== undefined) errors.push(invalidValue(field, value, wrong));
  };
  if (meta.name === '') errors.push(required('metadata.name', 'name or generateName is required'));
  else check('metadata.name', meta.name, kind.nameRule ?? dnsSubdomain);
  const prefix = meta['generateName'];
  // What is put behind it may make a good name of one that ends in a dash.
  if (typeof prefix === 'string')
    check('metadata.generateName', prefix.replace(/-$/, 'a'), kind.nameRule ?? dnsSubdomain);
  if (meta.namespace !== undefined) check('metadata.namespace', meta.namespace, dnsLabel);
  for (const [key, value] of Object.entries(meta.labels ?? {})) {
    check('metadata.labels', key, qualifiedName);
    check('metadata.labels', value, labelValue);
  }
  let annotationBytes = 0;
  for (const [key, value] of Object.entries(meta.annotations ?? {})) {
    check('metadata.annotations', key.toLowerCase(), qualifiedName);
    annotationBytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (annotationBytes > annotationLimitBytes) {
    const message = `Too long: may not be more than ${annotationLimitBytes} bytes`;
    errors.push({ field: 'metadata.annotations', reason: 'FieldValueTooLong', message });
  }
  for (const [index, finalizer] of (meta.finalizers ?? []).entries()) {
    const field = `metadata.finalizers[${index}]`;
    check(field, finalizer, qualifiedName);
    if (!finalizer.includes('/') && !standardFinalizers.has(finalizer)) {
      const why = 'name is neither a standard finalizer name nor is it fully qualified';
      errors.push(invalidValue(field, finalizer, why));
    }
  }
  return errors;
}

/** Once deletion has been asked for, finalizers may only go. */
export function validateMetaUpdate(next: ApiObject, previous: ApiObject, sent: DraftMeta): FieldError[] {
  const errors: FieldError[] = [];
  const creationTimestamp = sent['creationTimestamp'];
  if (typeof creationTimestamp === 'string' && creationTimestamp !== previous.metadata.creationTimestamp) {
    errors.push(immutable('metadata.creationTimestamp', creationTimestamp));
  }
  if (previous.metadata.deletionTimestamp === undefined) return errors;
  const before = new Set(previous.metadata.finalizers);
  const added = (next.metadata.finalizers ?? []).filter((finalizer) => !before.has(finalizer));
  if (added.length > 0) {
    const list = added.map((finalizer) => JSON.stringify(finalizer)).join(', ');
    const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
    errors.push(forbiddenField('metadata.finalizers', why));
  }
  return errors;
}
