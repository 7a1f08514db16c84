import type { User } from './auth.ts';
import { reviews } from './discovery.ts';
import type { ApiRequest } from './dispatch.ts';
import type { JsonObject } from './json.ts';
import { isObject } from './json.ts';
import { badRequest } from './status.ts';
import { readBody } from './write-options.ts';

function userInfo({ username, uid, groups, extra }: User): JsonObject {
  return {
    username,
    ...(uid === undefined ? {} : { uid }),
    groups: [...groups],
    ...(extra === undefined
      ? {}
      : { extra: Object.fromEntries(Object.entries(extra).map(([key, of]) => [key, [...of]])) }),
  };
}

/** Reviews of oneself. Every token may do everything: the sandbox has no roles. */
export function answerReview(path: string, request: ApiRequest): JsonObject | undefined {
  const review = reviews.find(({ group, version, plural }) => path === `/apis/${group}/${version}/${plural}`);
  if (review === undefined || request.method !== 'POST') return undefined;
  const body = readBody(request);
  if (!isObject(body)) throw badRequest(`${review.kind}: the body is not an object`);
  const apiVersion = `${review.group}/${review.version}`;
  const base = { ...body, kind: review.kind, apiVersion };
  if (review.kind === 'SelfSubjectAccessReview')
    return { ...base, status: { allowed: true, reason: 'the sandbox has no roles' } };
  if (review.kind === 'SelfSubjectRulesReview') {
    const resourceRules = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }];
    const nonResourceRules = [{ verbs: ['*'], nonResourceURLs: ['*'] }];
    return { ...base, status: { resourceRules, nonResourceRules, incomplete: false } };
  }
  return { ...base, status: { userInfo: userInfo(request.user) } };
}
