import { errorMessage } from '@holdfast/core';
import { parse as parseYaml } from 'yaml';
import type { ApiRequest } from './dispatch.ts';
import type { JsonValue } from './json.ts';
import { badRequest, unsupportedMediaType } from './status.ts';
import type { WriteOptions } from './verbs/context.ts';

export function readWriteOptions({ query }: ApiRequest): WriteOptions {
  const dryRun = query.getAll('dryRun');
  if (dryRun.some((value) => value !== 'All')) {
    throw badRequest(`dryRun: Unsupported value: ${JSON.stringify(dryRun[0])}: supported values: "All"`);
  }
  return {
    isDryRun: dryRun.length > 0,
    fieldManager: query.get('fieldManager') ?? '',
  };
}

/** The body of a POST, PUT or DELETE: JSON or YAML. */
export function readBody({ body, contentType }: ApiRequest): JsonValue {
  switch (contentType) {
    case '':
    case 'application/json':
      return parseWith(JSON.parse, body);
    case 'application/yaml':
      return parseWith(parseYaml, body);
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
