import { badRequest } from '../status.ts';

/** A varint, or the bytes of a length-delimited field. */
export type WireValue = bigint | Buffer;

export interface WireField {
  readonly number: number;
  readonly value: WireValue;
}

/** The fields of one protobuf message in the order they stand. Throws 400 when the bytes end too early. */
export function readFields(bytes: Buffer): WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const take = (length: number): Buffer => {
    if (length < 0 || at + length > bytes.length) throw badRequest('the protobuf body is damaged: it ends too early');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = take(1)[0] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw badRequest('the protobuf body is damaged: a number is too long');
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        fields.push({ number, value: varint() });
        break;
      case 1:
        take(8);
        break;
      case 2:
        fields.push({ number, value: take(Number(varint())) });
        break;
      case 5:
        take(4);
        break;
      default:
        throw badRequest(`the protobuf body is damaged: there is no wire type ${tag % 8}`);
    }
  }
  return fields;
}
