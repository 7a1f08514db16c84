import { errorMessage } from '@holdfast/core';
import { parse as parseYaml } from 'yaml';
import type { ApiRequest } from './dispatch.ts';
import type { OnUnknownFields } from './draft.ts';
import { cannotHandle } from './draft.ts';
import type { FieldError } from './field-errors.ts';
import { notSupported, tooLong } from './field-errors.ts';
import type { JsonValue } from './json.ts';
import { protobufContentType } from './protobuf/decode.ts';
import { ApiError, badRequest, invalid, unsupportedMediaType } from './status.ts';
import type { WriteOptions } from './verbs/context.ts';

export function readWriteOptions(request: ApiRequest): WriteOptions {
  const { query, method } = request;
  const dryRun = query.getAll('dryRun');
  const fieldManager = query.get('fieldManager') ?? '';
  const errors = [...checkFieldManager(fieldManager), ...checkDryRun(dryRun), ...checkFieldValidation(query)];
  if (errors.length > 0) {
    throw invalid({ group: 'meta.k8s.io', plural: '', kind: optionsKinds[method] ?? 'CreateOptions' }, '', errors);
  }
  return {
    isDryRun: dryRun.length > 0,
    fieldManager: fieldManager === '' ? managerOf(request.userAgent) : fieldManager,
    isManagerNamed: fieldManager !== '',
    onUnknownFields: unknownFieldsHandler(request),
  };
}

const optionsKinds: Readonly<Record<string, string>> = { PUT: 'UpdateOptions', PATCH: 'PatchOptions' };
const managerLimitBytes = 128;

function checkFieldManager(manager: string): FieldError[] {
  return Buffer.byteLength(manager) > managerLimitBytes ? [tooLong('fieldManager', managerLimitBytes)] : [];
}

export function checkDryRun(dryRun: readonly string[]): FieldError[] {
  return dryRun.every((value) => value === 'All') ? [] : [notSupported('dryRun', [...dryRun], ['All'])];
}

function checkFieldValidation(query: URLSearchParams): FieldError[] {
  const directive = query.get('fieldValidation') ?? '';
  const supported = ['', 'Ignore', 'Strict', 'Warn'];
  return supported.includes(directive) ? [] : [notSupported('fieldValidation', directive, supported)];
}

/** Who does not say which manager it is, is told by the first part of its user agent. */
function managerOf(userAgent: string): string {
  return userAgent.split('/')[0]?.slice(0, managerLimitBytes) || 'unknown';
}

/** `fieldValidation`: refuse what the kind does not have, warn of it (the default), or say nothing. */
function unknownFieldsHandler({ method, query, warnings }: ApiRequest): OnUnknownFields {
  const directive = query.get('fieldValidation') ?? '';
  switch (directive) {
    case 'Ignore':
      return () => undefined;
    case 'Strict':
      return (kind, fields) => {
        const list = fields.map((field) => `unknown field ${JSON.stringify(field)}`).join(', ');
        const why = `strict decoding error: ${list}`;
        if (method !== 'PATCH') throw badRequest(`${cannotHandle(kind)}: ${why}`);
        throw new ApiError(422, 'Invalid', ` "" is invalid: patch: Invalid value: ${why}`, {
          causes: [{ reason: 'FieldValueInvalid', message: `Invalid value: ${why}`, field: 'patch' }],
        });
      };
    default:
      return (_kind, fields) => {
        warnings.push(...fields.map((field) => `unknown field ${JSON.stringify(field)}`));
      };
  }
}

/** The body of a POST, PUT or DELETE: JSON or YAML. */
export function readBody({ body, contentType }: ApiRequest): JsonValue {
  switch (contentType) {
    case '':
    case 'application/json':
      return parseWith(JSON.parse, body);
    case 'application/yaml':
      return parseWith(parseYaml, body);
    case protobufContentType:
      throw unsupportedMediaType(`the server reads this kind as application/json, not as ${protobufContentType}`);
    default:
      throw unsupportedMediaType(
        'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
      );
  }
}

function parseWith(parse: (text: string) => JsonValue, text: string): JsonValue {
  try {
    return parse(text);
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${errorMessage(error)}`);
  }
}
