import type { ApiRequest } from './dispatch.ts';
import type { FieldError } from './field-errors.ts';
import { invalidValue, notSupported } from './field-errors.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { isObject, numberAt, objectAt, stringAt, textsAt, valueAt } from './json.ts';
import { DecodeError, decodeStruct } from './schema/decode.ts';
import { badRequest, invalid } from './status.ts';
import type { DeleteOptions } from './verbs/remove.ts';
import { checkDryRun, readBody } from './write-options.ts';

/** The body of a DELETE, and the query, which old clients use. Throws 400 and 422. */
export function readDeleteOptions(request: ApiRequest): DeleteOptions {
  const sent: JsonValue = request.body === '' ? {} : readBody(request);
  if (!isObject(sent)) throw badRequest('DeleteOptions: the body is not an object');
  const name = stringAt(sent, 'kind') ?? 'DeleteOptions';
  if (name !== 'DeleteOptions') throw badRequest(`decoded object cannot be converted to DeleteOptions`);
  const body = decodeDeleteOptions(sent);
  const { query } = request;
  const inQuery = query.get('gracePeriodSeconds');
  if (inQuery !== null && !/^-?\d{1,9}$/.test(inQuery)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(inQuery)}: invalid syntax`);
  }
  const policy = (stringAt(body, 'propagationPolicy') ?? query.get('propagationPolicy')) || undefined;
  const dryRun = [...textsAt(body, 'dryRun'), ...query.getAll('dryRun')];
  const errors = [...checkPolicy(policy, valueAt(body, 'orphanDependents')), ...checkDryRun(dryRun)];
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', plural: '', kind: 'DeleteOptions' }, '', errors);
  const preconditions = objectAt(body, 'preconditions');
  return {
    gracePeriodSeconds: numberAt(body, 'gracePeriodSeconds') ?? (inQuery === null ? undefined : Number(inQuery)),
    uid: stringAt(preconditions, 'uid'),
    resourceVersion: stringAt(preconditions, 'resourceVersion'),
    isDryRun: dryRun.length > 0,
  };
}

const policies = ['Foreground', 'Background', 'Orphan'];

function checkPolicy(policy: string | undefined, orphanDependents: JsonValue | undefined): FieldError[] {
  const errors: FieldError[] = [];
  if (policy !== undefined && orphanDependents !== undefined) {
    const why = 'orphanDependents and deletionPropagation cannot be both set';
    errors.push(invalidValue('propagationPolicy', policy, why));
  }
  if (policy !== undefined && !policies.includes(policy)) {
    errors.push(notSupported('propagationPolicy', policy, [...policies, 'nil']));
  }
  return errors;
}

function decodeDeleteOptions(sent: JsonObject): JsonObject {
  try {
    return decodeStruct('DeleteOptions', sent).value;
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(error.message);
    throw error;
  }
}
