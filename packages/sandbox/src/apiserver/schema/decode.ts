import { formatQuantity, parseQuantity } from '@holdfast/core';
import type { JsonObject, JsonValue } from '../json.ts';
import { isObject } from '../json.ts';
import type { Scalar, Shape, StructField } from './notation.ts';
import { structNamed } from './structs.ts';

/** A value of the wrong type, in the words of Go's decoder. */
export class DecodeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DecodeError';
  }
}

export interface Decoded {
  /** What a decode into the Go struct would leave: no field the struct has not; times and quantities in canonical form. */
  readonly value: JsonObject;
  /** Paths of what was dropped: `spec.containers[0].imag`. */
  readonly unknownFields: readonly string[];
}

/**
 * `keepsZeros`: an object of a CustomResourceDefinition passes through no Go struct, so its empty texts and lists stay as sent.
 * Throws {@link DecodeError}.
 */
export function decodeStruct(name: string, value: JsonObject, { keepsZeros = false } = {}): Decoded {
  const unknownFields: string[] = [];
  const decoded = decodeFields(name, value, { path: '', fieldPath: '', unknownFields, keepsZeros });
  return { value: decoded, unknownFields };
}

interface Place {
  /** With indexes, as warnings name it. */
  readonly path: string;
  /** Without, as Go's decoder does. */
  readonly fieldPath: string;
  readonly unknownFields: string[];
  readonly keepsZeros: boolean;
}

function decodeFields(structName: string, value: JsonObject, place: Place): JsonObject {
  const { fields } = structNamed(structName);
  const decoded: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const field = fields.get(key);
    const path = place.path === '' ? key : `${place.path}.${key}`;
    if (field === undefined) {
      place.unknownFields.push(path);
      continue;
    }
    // "Not set", to Go.
    if (item === null) continue;
    const fieldPath = place.fieldPath === '' ? key : `${place.fieldPath}.${key}`;
    const owner = `${structName}.${fieldPath}`;
    const found = decodeShape(field.shape, item, owner, { ...place, path, fieldPath });
    if (place.keepsZeros || isPointer(field) || !isZero(found)) decoded[key] = found;
  }
  if (place.keepsZeros) return decoded;
  for (const [key, { shape, isWritten }] of fields) {
    if (decoded[key] !== undefined) continue;
    if (isWritten === 'always') decoded[key] = zeroOf(shape);
    if (isWritten === 'as null if not given') decoded[key] = null;
  }
  return decoded;
}

function isPointer({ isWritten }: StructField): boolean {
  return isWritten === 'when given' || isWritten === 'as null if not given';
}

function isZero(value: JsonValue): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isObject(value)) return Object.keys(value).length === 0;
  return value === '' || value === 0 || value === false;
}

function decodeShape(shape: Shape, value: JsonValue, owner: string, place: Place): JsonValue {
  switch (shape.kind) {
    case 'list':
      if (!Array.isArray(value)) throw mismatch(value, owner, shape);
      return value.map((item, index) =>
        decodeShape(shape.of, item ?? zeroOf(shape.of), owner, { ...place, path: `${place.path}[${index}]` }),
      );
    case 'map': {
      if (!isObject(value)) throw mismatch(value, owner, shape);
      const decoded: JsonObject = {};
      for (const [key, item] of Object.entries(value)) {
        if (item === undefined) continue;
        decoded[key] = decodeShape(shape.of, item ?? zeroOf(shape.of), owner, {
          ...place,
          path: `${place.path}.${key}`,
        });
      }
      return decoded;
    }
    case 'struct':
      if (!isObject(value)) throw mismatch(value, owner, shape);
      return decodeFields(shape.name, value, place);
    case 'scalar':
      return decodeScalar(shape.type, value, owner);
    default:
      return shape satisfies never;
  }
}

/** What Go writes of a value that was never set; a null in a list keeps its place as one. */
function zeroOf(shape: Shape): JsonValue {
  if (shape.kind === 'struct')
    return decodeFields(shape.name, {}, { path: '', fieldPath: '', unknownFields: [], keepsZeros: false });
  if (shape.kind !== 'scalar') return null;
  switch (shape.type) {
    case 'string':
      return '';
    case 'bool':
      return false;
    case 'int32':
    case 'int64':
    case 'intOrString':
      return 0;
    case 'quantity':
      return '0';
    case 'any':
    case 'bytes':
    case 'time':
    case 'microTime':
      return null;
    default:
      return shape.type satisfies never;
  }
}

function decodeScalar(type: Scalar, value: JsonValue, owner: string): JsonValue {
  switch (type) {
    case 'any':
      return value;
    case 'string':
    case 'bool':
      if (typeof value !== (type === 'bool' ? 'boolean' : 'string'))
        throw mismatch(value, owner, { kind: 'scalar', type });
      // Half of a surrogate pair is no UTF-8.
      return typeof value === 'string' ? value.toWellFormed() : value;
    case 'int32':
    case 'int64':
      if (!isInteger(value, type)) throw mismatch(value, owner, { kind: 'scalar', type });
      return value;
    case 'intOrString':
      if (typeof value !== 'string' && !isInteger(value, 'int32'))
        throw mismatch(value, owner, { kind: 'scalar', type });
      return value;
    case 'bytes':
      if (typeof value !== 'string') throw mismatch(value, owner, { kind: 'scalar', type });
      return decodeBase64(value);
    case 'quantity':
      return decodeQuantity(value, owner);
    case 'time':
    case 'microTime':
      if (typeof value !== 'string') throw mismatch(value, owner, { kind: 'scalar', type });
      return type === 'time' ? decodeTime(value) : decodeMicroTime(value);
    default:
      return type satisfies never;
  }
}

function isInteger(value: JsonValue, type: 'int32' | 'int64'): boolean {
  if (typeof value !== 'number' || !Number.isInteger(value)) return false;
  return type === 'int64' || (value >= -(2 ** 31) && value < 2 ** 31);
}

function decodeBase64(text: string): string {
  const clean = text.replace(/[\r\n]/g, '');
  const wrong = clean.search(/[^A-Za-z0-9+/=]/);
  if (wrong >= 0) throw new DecodeError(`illegal base64 data at input byte ${wrong}`);
  if (clean.length % 4 !== 0 || !/^[^=]*={0,2}$/.test(clean)) {
    throw new DecodeError(`illegal base64 data at input byte ${clean.length}`);
  }
  return clean;
}

/** `1024Mi` is stored as `1Gi`, and `1.5x` is refused. */
function decodeQuantity(value: JsonValue, owner: string): string {
  if (typeof value !== 'string' && typeof value !== 'number')
    throw mismatch(value, owner, { kind: 'scalar', type: 'quantity' });
  try {
    return formatQuantity(parseQuantity(String(value)));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const shape = "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    throw new DecodeError(`quantities must match the regular expression ${shape}`);
  }
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** metav1.Time is printed in UTC with whole seconds. */
function decodeTime(text: string): string {
  const atMs = rfc3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs)) throw new DecodeError(`parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05Z07:00"`);
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}

/** metav1.MicroTime is read with six digits after the second, no more and no fewer. */
function decodeMicroTime(text: string): string {
  const micros = /\.(\d{6})(?:Z|[+-]\d\d:\d\d)$/.exec(text)?.[1];
  const atMs = rfc3339.test(text) ? Date.parse(text) : Number.NaN;
  if (micros === undefined || Number.isNaN(atMs)) {
    throw new DecodeError(`parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05.000000Z07:00"`);
  }
  return `${new Date(atMs).toISOString().slice(0, 19)}.${micros}Z`;
}

function mismatch(value: JsonValue, owner: string, wanted: Shape): DecodeError {
  const isPlain = wanted.kind === 'scalar' && (wanted.type === 'int32' || wanted.type === 'int64');
  const number = isPlain && typeof value === 'number' ? ` ${value}` : '';
  return new DecodeError(
    `json: cannot unmarshal ${jsonTypeOf(value)}${number} into Go struct field ${owner} of type ${goTypeOf(wanted)}`,
  );
}

function jsonTypeOf(value: JsonValue): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

const goTypes: Readonly<Partial<Record<Scalar, string>>> = {
  bytes: '[]uint8',
  time: 'v1.Time',
  microTime: 'v1.MicroTime',
  quantity: 'resource.Quantity',
  intOrString: 'intstr.IntOrString',
};

function goTypeOf(shape: Shape): string {
  switch (shape.kind) {
    case 'list':
      return `[]${goTypeOf(shape.of)}`;
    case 'map':
      return `map[string]${goTypeOf(shape.of)}`;
    case 'struct':
      return `v1.${shape.name}`;
    case 'scalar':
      return goTypes[shape.type] ?? shape.type;
    default:
      return shape satisfies never;
  }
}
