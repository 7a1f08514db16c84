import { errorMessage } from '@holdfast/core';
import { parse as parseYaml } from 'yaml';
import type { ApiRequest } from './dispatch.ts';
import type { OnUnknownFields } from './draft.ts';
import { cannotHandle } from './draft.ts';
import type { JsonValue } from './json.ts';
import { protobufContentType } from './protobuf/decode.ts';
import { ApiError, badRequest, unsupportedMediaType } from './status.ts';
import type { WriteOptions } from './verbs/context.ts';

export function readWriteOptions(request: ApiRequest): WriteOptions {
  const { query } = request;
  const dryRun = query.getAll('dryRun');
  if (dryRun.some((value) => value !== 'All')) {
    throw badRequest(`dryRun: Unsupported value: ${JSON.stringify(dryRun[0])}: supported values: "All"`);
  }
  return {
    isDryRun: dryRun.length > 0,
    fieldManager: query.get('fieldManager') ?? '',
    onUnknownFields: unknownFieldsHandler(request),
  };
}

/** `fieldValidation`: refuse what the kind does not have, warn of it (the default), or say nothing. */
function unknownFieldsHandler({ method, query, warnings }: ApiRequest): OnUnknownFields {
  const directive = query.get('fieldValidation') ?? '';
  switch (directive) {
    case 'Ignore':
      return () => undefined;
    case '':
    case 'Warn':
      return (_kind, fields) => {
        warnings.push(...fields.map((field) => `unknown field ${JSON.stringify(field)}`));
      };
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
      throw badRequest(
        `fieldValidation: Unsupported value: ${JSON.stringify(directive)}: supported values: "Ignore", "Strict", "Warn"`,
      );
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
        'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml',
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
