import { randomUUID } from 'node:crypto';
import type { Clock } from '@holdfast/core';
import * as z from 'zod';
import type { User } from '../auth.ts';
import type { ApiObject } from '../objects.ts';
import type { Storage } from '../storage.ts';
import type { SigningKey } from './jwt.ts';
import { signJwt, verifyJwt } from './jwt.ts';

/** Who signs, and whom a token is for when the request for it does not say: kubeadm's default. */
export const issuer = 'https://kubernetes.default.svc.cluster.local';

/** How far clocks may be apart: go-jose's DefaultLeeway, which upstream checks with. */
const leewaySeconds = 60;

const ref = z.object({ name: z.string(), uid: z.string() });
const claimsShape = z.object({
  iss: z.literal(issuer),
  aud: z.array(z.string()),
  exp: z.number(),
  nbf: z.number(),
  jti: z.string(),
  'kubernetes.io': z.object({
    namespace: z.string(),
    serviceaccount: ref,
    pod: ref.optional(),
    node: ref.optional(),
    secret: ref.optional(),
  }),
});

/** The objects whose end is the token's end too. */
export interface BoundObjects {
  readonly pod?: ApiObject;
  readonly node?: ApiObject;
  readonly secret?: ApiObject;
}

export interface TokenOrder {
  readonly account: ApiObject;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  readonly bound: BoundObjects;
}

export interface VerifiedToken {
  readonly user: User;
  readonly audiences: readonly string[];
}

/** Tokens of service accounts: signed here, believed as long as what they name is still there. */
export interface AccountTokens {
  issue(order: TokenOrder): string;
  /** undefined for a token that is not from here, has expired, or has lost its account or what it is bound to. */
  verify(token: string): VerifiedToken | undefined;
}

export function createAccountTokens(deps: {
  readonly key: SigningKey;
  readonly storage: Storage;
  readonly clock: Clock;
}): AccountTokens {
  const { key, storage, clock } = deps;
  const nowSeconds = (): number => Math.floor(clock.nowMs() / 1000);

  /** Upstream gives what is on its way out the same leeway as the token's own times. */
  const isThere = (resource: string, objectKey: string, uid: string): boolean => {
    const object = storage.get(resource, objectKey);
    if (object === undefined || object.metadata.uid !== uid) return false;
    const { deletionTimestamp } = object.metadata;
    return deletionTimestamp === undefined || Date.parse(deletionTimestamp) / 1000 >= nowSeconds() - leewaySeconds;
  };

  return {
    issue({ account, audiences, expirationSeconds, bound }) {
      const { name, namespace = '', uid } = account.metadata;
      const now = nowSeconds();
      return signJwt(key, {
        aud: [...audiences],
        exp: now + expirationSeconds,
        iat: now,
        iss: issuer,
        jti: randomUUID(),
        'kubernetes.io': {
          namespace,
          ...claimOf('node', bound.node),
          ...claimOf('pod', bound.pod),
          ...claimOf('secret', bound.secret),
          serviceaccount: { name, uid },
        },
        nbf: now,
        sub: usernameOf(namespace, name),
      });
    },
    verify(token) {
      const parsed = claimsShape.safeParse(verifyJwt(key, token));
      if (!parsed.success) return undefined;
      const { aud, exp, nbf, jti, 'kubernetes.io': about } = parsed.data;
      const { namespace, serviceaccount, pod, node, secret } = about;
      if (nowSeconds() > exp + leewaySeconds || nowSeconds() < nbf - leewaySeconds) return undefined;
      if (!isThere('/serviceaccounts', `${namespace}/${serviceaccount.name}`, serviceaccount.uid)) return undefined;
      if (pod !== undefined && !isThere('/pods', `${namespace}/${pod.name}`, pod.uid)) return undefined;
      if (secret !== undefined && !isThere('/secrets', `${namespace}/${secret.name}`, secret.uid)) return undefined;
      // A pod's token only tells the node; one that is bound to the node ends with it.
      if (pod === undefined && node !== undefined && !isThere('/nodes', node.name, node.uid)) return undefined;
      const user: User = {
        username: usernameOf(namespace, serviceaccount.name),
        uid: serviceaccount.uid,
        groups: accountGroups(namespace),
        extra: {
          'authentication.kubernetes.io/credential-id': [`JTI=${jti}`],
          ...extraOf('node', node),
          ...extraOf('pod', pod),
        },
      };
      return { user, audiences: aud };
    },
  };
}

/** The groups every account of a namespace is in. */
export function accountGroups(namespace: string): readonly string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
}

function usernameOf(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

function claimOf(
  kind: 'pod' | 'node' | 'secret',
  object: ApiObject | undefined,
): { [key: string]: z.infer<typeof ref> } {
  return object === undefined ? {} : { [kind]: { name: object.metadata.name, uid: object.metadata.uid } };
}

function extraOf(kind: 'pod' | 'node', claim: z.infer<typeof ref> | undefined): { [key: string]: string[] } {
  if (claim === undefined) return {};
  const prefix = `authentication.kubernetes.io/${kind}`;
  return { [`${prefix}-name`]: [claim.name], ...(claim.uid === '' ? {} : { [`${prefix}-uid`]: [claim.uid] }) };
}
