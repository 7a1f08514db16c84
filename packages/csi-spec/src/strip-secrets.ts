import type { MessageField } from './field-kind.ts';
import { enumNames, messageFields } from './gen/field-table.ts';

/** What stands in a log where a secret was; the same text as in the Go sidecars. */
export const strippedText = '***stripped***';

/** kubelet puts tokens here when CSIDriver.spec.tokenRequests asks for them; the proto does not mark the key. */
export const serviceAccountTokensKey = 'csi.storage.k8s.io/serviceAccount.tokens';

type Properties = Readonly<Record<string, unknown>>;

function isProperties(value: unknown): value is Properties {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A field's value, looked up inside its `$case` union when it is part of one. */
function fieldValue(message: Properties, field: MessageField): unknown {
  if (field.oneof === undefined) return message[field.property];
  const union = message[field.oneof];
  return isProperties(union) && union.$case === field.property ? union.value : undefined;
}

/** As in proto3: what equals the default is not on the wire, so it is not in the log. */
function isUnset(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true;
  if (value === 0 || value === 0n || (Array.isArray(value) && value.length === 0)) return true;
  return false;
}

function scalarForLog(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return `(${value.length} bytes)`;
  if (Array.isArray(value)) return value.map(scalarForLog);
  return value;
}

function mapForLog(value: unknown): unknown {
  if (!isProperties(value) || Object.keys(value).length === 0) return undefined;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      key === serviceAccountTokensKey ? strippedText : scalarForLog(entry),
    ]),
  );
}

function fieldForLog(field: MessageField, value: unknown): unknown {
  switch (field.kind) {
    case 'secret':
      return isProperties(value) && Object.keys(value).length === 0 ? undefined : strippedText;
    case 'map':
      return mapForLog(value);
    case 'enum':
      return typeof value === 'number' ? (enumNames[field.enum]?.[value] ?? value) : value;
    case 'message':
      return Array.isArray(value)
        ? value.map((element) => stripSecrets(field.message, element))
        : stripSecrets(field.message, value);
    case 'scalar':
    case 'wrapped':
      return scalarForLog(value);
    default:
      return field satisfies never;
  }
}

/**
 * A copy of a message that may be logged: fields marked csi_secret and service-account tokens replaced, int64 as decimal
 * text, enums by name, fields by their name in the proto file, unset fields left out.
 *
 * Only what the descriptors declare is copied, so nothing of a message of unknown type is shown.
 *
 * @param messageTypeName full name, such as `csi.v1.CreateVolumeRequest`
 */
export function stripSecrets(messageTypeName: string, message: unknown): unknown {
  const fields = messageFields[messageTypeName];
  if (fields === undefined) return `(not shown: ${messageTypeName} has no table of secret fields)`;
  if (!isProperties(message)) return undefined;
  const shown: Record<string, unknown> = {};
  for (const field of fields) {
    const value = fieldValue(message, field);
    if (field.kind === 'wrapped' ? value === undefined : isUnset(value)) continue;
    const forLog = fieldForLog(field, value);
    if (forLog !== undefined) shown[field.name] = forLog;
  }
  return shown;
}
