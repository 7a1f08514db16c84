import type { JsonObject, JsonValue } from '../json.ts';
import { isObject } from '../json.ts';
import { badRequest, unsupportedMediaType } from '../status.ts';
import { accessMessages } from './access-messages.ts';
import { claimMessages } from './claim-messages.ts';
import type { Field, FieldType, Message } from './messages.ts';
import { messages } from './messages.ts';
import { readFields, type WireValue } from './wire.ts';

export const protobufContentType = 'application/vnd.kubernetes.protobuf';

// "k8s" and a zero byte stand before runtime.Unknown{typeMeta = 1 {apiVersion = 1, kind = 2}, raw = 2}.
const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00]);
const typeMeta: Message = { 1: { name: 'apiVersion', type: 'string' }, 2: { name: 'kind', type: 'string' } };

const knownMessages: Readonly<Record<string, Message>> = { ...messages, ...accessMessages, ...claimMessages };

/** The JSON of a protobuf body. Throws 400 when it is damaged, 415 for a kind the server reads as JSON only. */
export function decodeProtobuf(body: Buffer): JsonObject {
  if (!body.subarray(0, 4).equals(magic)) throw badRequest('the body is not protobuf: it does not begin with "k8s\\0"');
  let type: JsonObject = {};
  let raw: Buffer = Buffer.alloc(0);
  for (const { number, value } of readFields(body.subarray(4))) {
    if (number === 1) type = decodeMessage(typeMeta, bytesOf(value));
    if (number === 2) raw = bytesOf(value);
  }
  const kind = type['kind'];
  const message = typeof kind === 'string' && Object.hasOwn(knownMessages, kind) ? knownMessages[kind] : undefined;
  if (message === undefined) {
    throw unsupportedMediaType(
      `the server reads ${JSON.stringify(kind ?? '')} as application/json, not as ${protobufContentType}`,
    );
  }
  return { ...type, ...decodeMessage(message, raw) };
}

function decodeMessage(message: Message, bytes: Buffer): JsonObject {
  const decoded: JsonObject = {};
  for (const { number, value } of readFields(bytes)) {
    const field = message[number];
    if (field !== undefined) addField(decoded, field, value);
  }
  return decoded;
}

function addField(target: JsonObject, field: Field, value: WireValue): void {
  const { name, type } = field;
  if (typeof type === 'object' && 'inline' in type) {
    Object.assign(target, decodeMessage(type.inline(), bytesOf(value)));
    return;
  }
  if (typeof type === 'object' && 'map' in type) {
    const entry = decodeMessage(
      { 1: { name: 'key', type: 'string' }, 2: { name: 'value', type: type.map } },
      bytesOf(value),
    );
    const existing = target[name];
    const map = isObject(existing) ? existing : {};
    // An empty string is left out of a message, but is a value in a map.
    map[typeof entry['key'] === 'string' ? entry['key'] : ''] = entry['value'] ?? '';
    target[name] = map;
    return;
  }
  const decoded = decodeValue(type, value);
  if (field.isRepeated === true) {
    const list = target[name];
    const item = decoded ?? (typeof type === 'object' ? {} : '');
    if (Array.isArray(list)) list.push(item);
    else target[name] = [item];
    return;
  }
  // Go sends a field that is no pointer even when it is empty; its JSON would leave it out.
  if (decoded !== undefined) target[name] = decoded;
}

function decodeValue(
  type: Exclude<FieldType, { map: unknown } | { inline: unknown }>,
  value: WireValue,
): JsonValue | undefined {
  switch (type) {
    case 'string':
      return bytesOf(value).toString('utf8') || undefined;
    case 'bytes':
      return bytesOf(value).toString('base64');
    case 'bool':
      return value !== 0n;
    case 'flag':
      return value === 0n ? undefined : true;
    case 'int':
      return Number(BigInt.asIntN(64, integerOf(value)));
    case 'count':
      return Number(BigInt.asIntN(64, integerOf(value))) || undefined;
    case 'quantity':
      return decodeMessage({ 1: { name: 'string', type: 'string' } }, bytesOf(value))['string'];
    case 'time':
      return decodeTime(bytesOf(value), 0);
    case 'microTime':
      return decodeTime(bytesOf(value), 6);
    default: {
      const message = decodeMessage(type.message(), bytesOf(value));
      return Object.keys(message).length === 0 ? undefined : message;
    }
  }
}

/** Timestamp{seconds = 1, nanos = 2}, printed as metav1.Time or metav1.MicroTime; nothing when it is empty. */
function decodeTime(bytes: Buffer, digits: 0 | 6): string | undefined {
  const { seconds, nanos } = decodeMessage(
    { 1: { name: 'seconds', type: 'int' }, 2: { name: 'nanos', type: 'int' } },
    bytes,
  );
  if (typeof seconds !== 'number') return undefined;
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (digits === 0) return `${whole}Z`;
  const micros = Math.trunc((typeof nanos === 'number' ? nanos : 0) / 1000);
  return `${whole}.${String(micros).padStart(6, '0')}Z`;
}

function bytesOf(value: WireValue): Buffer {
  if (typeof value === 'bigint')
    throw badRequest('the protobuf body is damaged: a number stands where a message belongs');
  return value;
}

function integerOf(value: WireValue): bigint {
  if (typeof value !== 'bigint')
    throw badRequest('the protobuf body is damaged: a message stands where a number belongs');
  return value;
}
