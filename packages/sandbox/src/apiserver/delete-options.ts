import type { ApiRequest } from './dispatch.ts';
import { notSupported } from './field-errors.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { isObject, listAt, numberAt, objectAt, stringAt, withoutNulls } from './json.ts';
import { DecodeError, decodeStruct } from './schema/decode.ts';
import { badRequest, invalid } from './status.ts';
import type { DeleteOptions } from './verbs/remove.ts';
import { readBody, readWriteOptions } from './write-options.ts';

/** The body of a DELETE, and the query, which old clients use. Throws 400 and 422. */
export function readDeleteOptions(request: ApiRequest): DeleteOptions {
  const sent: JsonValue = request.body === '' ? {} : readBody(request);
  if (!isObject(sent)) throw badRequest('DeleteOptions: the body is not an object');
  const body = decodeDeleteOptions(sent);
  const { isDryRun } = readWriteOptions(request);
  const inQuery = request.query.get('gracePeriodSeconds');
  if (inQuery !== null && !/^-?\d{1,9}$/.test(inQuery)) {
    throw badRequest(`gracePeriodSeconds: ${JSON.stringify(inQuery)} is not a number of seconds`);
  }
  const policy = (stringAt(body, 'propagationPolicy') ?? request.query.get('propagationPolicy')) || 'Background';
  if (!propagationPolicies.includes(policy)) {
    const wrong = notSupported('propagationPolicy', policy, propagationPolicies);
    throw invalid({ group: 'meta.k8s.io', plural: '', kind: 'DeleteOptions' }, '', [wrong]);
  }
  const preconditions = objectAt(body, 'preconditions');
  return {
    gracePeriodSeconds: numberAt(body, 'gracePeriodSeconds') ?? (inQuery === null ? undefined : Number(inQuery)),
    uid: stringAt(preconditions, 'uid'),
    resourceVersion: stringAt(preconditions, 'resourceVersion'),
    isDryRun: isDryRun || listAt(body, 'dryRun').includes('All'),
  };
}

const propagationPolicies = ['Background', 'Foreground', 'Orphan'];

function decodeDeleteOptions(sent: JsonObject): JsonObject {
  try {
    const clean = withoutNulls(sent);
    return decodeStruct('DeleteOptions', isObject(clean) ? clean : {}).value;
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(`DeleteOptions: ${error.message}`);
    throw error;
  }
}
