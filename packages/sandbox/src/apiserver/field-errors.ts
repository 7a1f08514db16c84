import type { JsonValue } from './json.ts';

/** One cause of a 422, in the words and with the reasons of apimachinery's field package. */
export interface FieldError {
  readonly field: string;
  readonly reason: string;
  readonly message: string;
}

function show(value: JsonValue | undefined): string {
  return value === undefined ? 'null' : JSON.stringify(value);
}

export function required(field: string, detail = ''): FieldError {
  return { field, reason: 'FieldValueRequired', message: `Required value${detail === '' ? '' : `: ${detail}`}` };
}

export function invalidValue(field: string, value: JsonValue | undefined, detail: string): FieldError {
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${show(value)}: ${detail}` };
}

export function forbiddenField(field: string, detail: string): FieldError {
  return { field, reason: 'FieldValueForbidden', message: `Forbidden: ${detail}` };
}

export function duplicate(field: string, value: JsonValue): FieldError {
  return { field, reason: 'FieldValueDuplicate', message: `Duplicate value: ${show(value)}` };
}

export function notSupported(field: string, value: JsonValue | undefined, supported: readonly string[]): FieldError {
  const values = supported.map((item) => JSON.stringify(item)).join(', ');
  return {
    field,
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${show(value)}: supported values: ${values}`,
  };
}

export function tooLong(field: string, limitBytes: number): FieldError {
  return { field, reason: 'FieldValueTooLong', message: `Too long: may not be more than ${limitBytes} bytes` };
}

export function immutable(field: string, value: JsonValue | undefined): FieldError {
  return invalidValue(field, value, 'field is immutable');
}
