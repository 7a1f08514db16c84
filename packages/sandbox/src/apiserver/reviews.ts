import type { Clock } from '@holdfast/core';
import { reviewAccess, reviewOwnAccess, reviewOwnRules } from './access/access-reviews.ts';
import type { Authorizer } from './access/authorizer.ts';
import { reviewSelf, reviewToken } from './access/identity-reviews.ts';
import { readReview } from './access/read-review.ts';
import type { Authenticator } from './auth.ts';
import { reviews, singularOf } from './discovery.ts';
import type { ApiRequest } from './dispatch.ts';
import type { JsonObject } from './json.ts';
import { methodNotAllowed } from './status.ts';

interface ReviewContext {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
}

/** Questions about identity and access, answered from what holds now and never stored; undefined for any other path. */
export function answerReview(context: ReviewContext, request: ApiRequest): JsonObject | undefined {
  const match = /^\/apis\/([^/]+)\/v1\/(?:namespaces\/([^/]+)\/)?([^/]+)$/.exec(request.path);
  if (match === null) return undefined;
  const [, group, namespace, plural] = match;
  const review = reviews.find((candidate) => candidate.group === group && plural === `${singularOf(candidate)}s`);
  if (review === undefined || review.isNamespaced !== (namespace !== undefined)) return undefined;
  if (request.method !== 'POST') throw methodNotAllowed();
  const read = readReview(request, { apiVersion: `${review.group}/${review.version}`, kind: review.kind });
  const { authenticator, authorizer } = context;
  const { user } = request;
  switch (review.kind) {
    case 'SelfSubjectReview':
      return reviewSelf(user, read, context.clock.nowMs());
    case 'TokenReview':
      return reviewToken(authenticator, read);
    case 'SelfSubjectAccessReview':
      return reviewOwnAccess(authorizer, user, read);
    case 'SelfSubjectRulesReview':
      return reviewOwnRules(authorizer, user, read);
    case 'SubjectAccessReview':
      return reviewAccess(authorizer, read, undefined);
    case 'LocalSubjectAccessReview':
      return reviewAccess(authorizer, read, namespace);
    default:
      return review satisfies never;
  }
}
