import { rpcError } from '@holdfast/rpc';

// CSI spec, "Size Limits" and "Field Requirements".
const maxTextBytes = 128;
const maxNodeIdBytes = 256;
const maxMapBytes = 4096;
// Linux' PATH_MAX. The spec lifts its own limit for paths.
const maxPathBytes = 4096;

// Everything but tab, newline and carriage return below U+0020, and U+007F to U+009F.
// oxlint-disable-next-line no-control-regex
const controlCharacters = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]/;
// What this kit makes ids of; see volumeIdFor.
const volumeIdShape = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** A name given by the caller: any text without control characters. */
export function checkName(field: string, value: string): void {
  checkText(field, value, maxTextBytes);
}

/** An id that is to become part of a path. One that no volume of ours can have is refused here, before any look-up. */
export function checkVolumeId(value: string): void {
  checkId('volume_id', value);
}

/** As a volume's, for whatever else the kit makes ids for. */
export function checkId(field: string, value: string): void {
  checkText(field, value, maxTextBytes);
  if (!isPossibleId(value)) {
    throw rpcError(
      'InvalidArgument',
      `${field} ${show(value)} is no id of this driver: ids are letters, digits, ".", "_" and "-", and start with a letter or digit`,
    );
  }
}

/** For a filter, which may name anything and then finds nothing. */
export function isPossibleId(value: string): boolean {
  return Buffer.byteLength(value) <= maxTextBytes && volumeIdShape.test(value);
}

export function checkNodeId(value: string): void {
  checkText('node_id', value, maxNodeIdBytes);
}

function checkText(field: string, value: string, maxBytes: number): void {
  if (value === '') throw rpcError('InvalidArgument', `${field} is required`);
  const bytes = Buffer.byteLength(value);
  if (bytes > maxBytes) {
    throw rpcError('InvalidArgument', `${field} has ${bytes} bytes, at most ${maxBytes} are allowed: ${show(value)}`);
  }
  if (controlCharacters.test(value)) {
    throw rpcError('InvalidArgument', `${field} contains control characters: ${show(value)}`);
  }
}

export function checkPath(field: string, value: string): void {
  if (value === '') throw rpcError('InvalidArgument', `${field} is required`);
  if (Buffer.byteLength(value) > maxPathBytes || value.includes('\0')) {
    throw rpcError('InvalidArgument', `${field} is no path Linux can have: ${show(value)}`);
  }
  if (!value.startsWith('/') || value.split('/').includes('..') || /^\/*$/.test(value)) {
    throw rpcError('InvalidArgument', `${field} must be an absolute path without "..", below the root: ${show(value)}`);
  }
}

/** Secrets and contexts are not measured: Kubernetes puts service account tokens there, longer than the spec allows. */
export function checkMapSize(field: string, map: Readonly<Record<string, string>>): void {
  let bytes = 0;
  for (const [key, value] of Object.entries(map)) bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  if (bytes > maxMapBytes) {
    throw rpcError(
      'InvalidArgument',
      `${field} has ${bytes} bytes of keys and values, at most ${maxMapBytes} are allowed`,
    );
  }
}

/** Quoted and cut, so that a hostile value stays one short line in a log. */
export function show(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}
