import { errorMessage, parseGoDuration } from '@holdfast/core';
import type { FlagSpec, FlagValue } from './flag-spec.ts';

/** Says what is wrong with a flag's text; the parser adds which flag. */
class ValueError extends Error {}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/**
 * Reads one flag's text. Maps and gates given several times add up; anything else is replaced.
 * @throws Error that says what is wrong and how to write it
 */
export function readFlagText(spec: FlagSpec, text: string, before: FlagValue | undefined): FlagValue {
  switch (spec.type) {
    case 'string':
      return text;
    case 'bool':
      return readBool(text);
    case 'int':
      return readInteger(text);
    case 'uint':
      return readUnsigned(text);
    case 'float':
      return readFloat(text);
    case 'duration':
      return readDuration(text);
    case 'map':
      return { ...asRecord(before), ...readPairs(text) };
    case 'gates':
      return { ...asRecord(before), ...readGates(text) };
    default:
      return spec satisfies never;
  }
}

function asRecord(value: FlagValue | undefined): object {
  return typeof value === 'object' ? value : {};
}

function readBool(text: string): boolean {
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  throw new ValueError('write true or false');
}

/** Go reads integers with base 0: 0x1f, 0o17, 0b1, a leading 0 as octal, and an underscore between digits. */
function readInteger(text: string): number {
  const match =
    /^([+-]?)(0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)$/.exec(text);
  const [, sign = '', spelt = ''] = match ?? [];
  const digits = spelt.replaceAll('_', '');
  if (digits === '') throw new ValueError('write a whole number');
  const value = Number(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  if (!Number.isSafeInteger(value)) throw new ValueError('value out of range');
  return sign === '-' && value !== 0 ? -value : value;
}

function readUnsigned(text: string): number {
  const value = readInteger(text);
  if (/^[+-]/.test(text)) throw new ValueError('write a whole number without a sign');
  return value;
}

function readFloat(text: string): number {
  const value = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw new ValueError('write a number, such as 5 or 0.5');
  return value;
}

function readDuration(text: string): number {
  try {
    return parseGoDuration(text);
  } catch (error) {
    throw new ValueError(`${errorMessage(error)}; write a number and a unit, such as 500ms, 15s or 1m30s`);
  }
}

function readPairs(text: string): Record<string, string> {
  const pairs: [string, string][] = [];
  for (const item of text === '' ? [] : text.split(',')) {
    const [key = '', value, ...rest] = item.split(':');
    if (key === '' || value === undefined || rest.length > 0) {
      throw new ValueError(`${JSON.stringify(item)} is not key:value; write key:value,key:value`);
    }
    pairs.push([key.trim(), value.trim()]);
  }
  return Object.fromEntries(pairs);
}

function readGates(text: string): Record<string, boolean> {
  const gates: [string, boolean][] = [];
  for (const item of text.split(',').filter((each) => each.trim() !== '')) {
    const at = item.indexOf('=');
    if (at < 0) throw new ValueError(`missing bool value for ${item.trim()}; write ${item.trim()}=true`);
    const gate = item.slice(0, at).trim();
    try {
      gates.push([gate, readBool(item.slice(at + 1).trim())]);
    } catch (error) {
      throw new ValueError(`invalid value of ${gate}: ${errorMessage(error)}`);
    }
  }
  return Object.fromEntries(gates);
}
