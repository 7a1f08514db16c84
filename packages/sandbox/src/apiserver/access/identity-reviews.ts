import type { Authenticator, User } from '../auth.ts';
import type { JsonObject } from '../json.ts';
import { objectAt, stringAt, textsAt } from '../json.ts';
import { timestamp } from '../objects.ts';
import { badRequest } from '../status.ts';

/** Who am I? */
export function reviewSelf(user: User, sent: JsonObject, nowMs: number): JsonObject {
  const metadata = { ...objectAt(sent, 'metadata'), creationTimestamp: timestamp(nowMs) };
  return { ...sent, metadata, status: { userInfo: userInfo(user) } };
}

/** Whose token is this? */
export function reviewToken(authenticator: Authenticator, sent: JsonObject): JsonObject {
  const token = stringAt(sent, 'spec', 'token') ?? '';
  if (token === '') throw badRequest('token is required for TokenReview in authentication');
  const asked = textsAt(sent, 'spec', 'audiences');
  const known = authenticator.ofToken(token, asked.length === 0 ? undefined : asked);
  if (known === undefined) return { ...sent, status: { user: {}, error: whyNot(authenticator, token, asked) } };
  return { ...sent, status: { authenticated: true, user: userInfo(known.user), audiences: [...known.audiences] } };
}

function whyNot(authenticator: Authenticator, token: string, asked: readonly string[]): string {
  const of = authenticator.audiencesOf(token);
  if (of.length === 0) return 'invalid bearer token';
  const [own, target] = [of, asked].map((audiences) => audiences.map((audience) => JSON.stringify(audience)).join(' '));
  return `[invalid bearer token, token audiences [${own}] is invalid for the target audiences [${target}]]`;
}

function userInfo({ username, uid, groups, extra = {} }: User): JsonObject {
  const entries = Object.entries(extra).map(([key, values]): [string, string[]] => [key, [...values]]);
  return {
    username,
    ...(uid === undefined ? {} : { uid }),
    groups: [...groups],
    ...(entries.length === 0 ? {} : { extra: Object.fromEntries(entries) }),
  };
}
