import type { ApiRequest } from '../dispatch.ts';
import type { ApiError } from '../status.ts';
import type { Authorizer } from './authorizer.ts';
import { forbiddenTo } from './authorizer.ts';
import { attributesOf } from './request-attributes.ts';
import type { Attributes } from './rules.ts';

/** Why the user of a request may not make it; undefined when they may. */
export function refusalOf(authorizer: Authorizer, request: ApiRequest): ApiError | undefined {
  return refusal(authorizer, request, attributesOf(request.method, request.path, request.query));
}

/** An update or an apply that creates must be allowed to create too. Throws 403. */
export function requireCreate(authorizer: Authorizer, request: ApiRequest): void {
  const wanted = attributesOf(request.method, request.path, request.query);
  const refused = refusal(authorizer, request, { ...wanted, verb: 'create' });
  if (refused !== undefined) throw refused;
}

function refusal(authorizer: Authorizer, { user }: ApiRequest, wanted: Attributes): ApiError | undefined {
  const { isAllowed, reason } = authorizer.decide(user, wanted);
  return isAllowed ? undefined : forbiddenTo(user, wanted, reason);
}
