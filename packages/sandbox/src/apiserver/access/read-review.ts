import type { ApiRequest } from '../dispatch.ts';
import type { JsonObject } from '../json.ts';
import { isObject, show, stringAt, withoutNulls } from '../json.ts';
import { DecodeError, decodeStruct } from '../schema/decode.ts';
import { badRequest } from '../status.ts';
import { readBody } from '../write-options.ts';

/** Throws 400 for a body that names another namespace than its URL. */
export function refuseOtherNamespace(sent: JsonObject, namespace: string | undefined): void {
  const named = stringAt(sent, 'metadata', 'namespace') ?? '';
  if (named === '' || named === namespace) return;
  throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

/** The body of something that is answered and never stored: right kind, right types, no unknown field. Throws 400. */
export function readReview(request: ApiRequest, type: { apiVersion: string; kind: string }): JsonObject {
  const sent = withoutNulls(readBody(request));
  const { apiVersion, kind } = type;
  const cannotHandle = `${kind} in version "v1" cannot be handled as a ${kind}`;
  if (!isObject(sent)) throw badRequest(`${cannotHandle}: the body is not an object`);
  const got = { apiVersion: sent['apiVersion'] ?? apiVersion, kind: sent['kind'] ?? kind };
  if (got.apiVersion !== apiVersion || got.kind !== kind) {
    const what = `${show(got.apiVersion)}, Kind=${show(got.kind)}`;
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): got ${what}`);
  }
  try {
    const { value, unknownFields } = decodeStruct(kind, sent);
    request.warnings.push(...unknownFields.map((field) => `unknown field ${JSON.stringify(field)}`));
    return { kind, apiVersion, metadata: {}, ...value };
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(`${cannotHandle}: ${error.message}`);
    throw error;
  }
}
