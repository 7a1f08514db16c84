import type { FieldError } from '../field-errors.ts';
import { forbiddenField, notSupported, required } from '../field-errors.ts';
import type { JsonValue } from '../json.ts';
import type { DraftObject } from '../objects.ts';

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

/** The rules claims and volumes share for `spec.accessModes`. */
export function validateAccessModes(field: string, modes: readonly JsonValue[], detail = ''): FieldError[] {
  if (modes.length === 0) return [required(field, detail)];
  const errors = modes
    .filter((mode) => typeof mode !== 'string' || !accessModes.includes(mode))
    .map((mode) => notSupported(field, mode, accessModes));
  if (modes.length > 1 && modes.includes('ReadWriteOncePod')) {
    errors.push(forbiddenField(field, 'may not use ReadWriteOncePod with other access modes'));
  }
  return errors;
}

/** The StorageObjectInUseProtection admission plug-in: the finalizer is there from the first moment. */
export function addFinalizer(object: DraftObject, finalizer: string): void {
  const finalizers = object.metadata.finalizers ?? [];
  if (!finalizers.includes(finalizer)) object.metadata.finalizers = [...finalizers, finalizer];
}
