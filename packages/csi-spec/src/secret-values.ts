import type { MessageField } from './field-kind.ts';
import { messageFields } from './gen/field-table.ts';
import { serviceAccountTokensKey, strippedText } from './strip-secrets.ts';

/** Shorter values are words such as `true` or `root`: to strike them out would garble messages and hide nothing. */
const shortestSecret = 6;

function isProperties(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every text inside a value; a text that is JSON is also looked into, as service-account tokens come that way. */
function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value, ...textsInJson(value)];
  if (Array.isArray(value)) return value.flatMap(texts);
  return isProperties(value) ? Object.values(value).flatMap(texts) : [];
}

function textsInJson(text: string): string[] {
  if (!/^\s*[{[]/.test(text)) return [];
  try {
    return texts(JSON.parse(text));
  } catch {
    return [];
  }
}

function valuesOf(field: MessageField, value: unknown): string[] {
  if (field.kind === 'secret') return texts(value);
  if (field.kind === 'map') return isProperties(value) ? texts(value[serviceAccountTokensKey]) : [];
  return [];
}

/** Every secret a request or reply carries at its top level, where CSI puts all of them. Longest first. */
function secretValues(messageTypeName: string, message: unknown): string[] {
  if (!isProperties(message)) return [];
  const values = (messageFields[messageTypeName] ?? []).flatMap((field) => valuesOf(field, message[field.property]));
  return values.filter((value) => value.length >= shortestSecret).sort((a, b) => b.length - a.length);
}

/**
 * Strikes the secrets of a message out of a text, such as the error a driver answered: some repeat the command line or
 * the request they failed on.
 */
export function redactSecrets(text: string, messageTypeName: string, message: unknown): string {
  return secretValues(messageTypeName, message).reduce(
    (redacted, value) => redacted.replaceAll(value, strippedText),
    text,
  );
}
