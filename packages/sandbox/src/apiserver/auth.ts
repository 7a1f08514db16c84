import type { AccountTokens } from './access/account-tokens.ts';
import { issuer } from './access/account-tokens.ts';

/** Who a bearer token stands for. */
export interface User {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** From bearer token to user, beside the tokens of service accounts. */
export type TokenTable = Readonly<Record<string, User>>;

export const anonymous: User = { username: 'system:anonymous', groups: ['system:unauthenticated'] };

export interface Authentication {
  readonly user: User;
  /** For whom the token is, as far as was asked. */
  readonly audiences: readonly string[];
}

export interface Authenticator {
  /** The user of a request; {@link anonymous} without a token, undefined for a token nobody was given. */
  ofHeader(authorization: string | undefined): User | undefined;
  /** @param audiences for whom the token must be; none: for this server. */
  ofToken(token: string, audiences?: readonly string[]): Authentication | undefined;
  /** For whom a token is; none for one that nobody was given. */
  audiencesOf(token: string): readonly string[];
}

export function createAuthenticator(deps: {
  readonly tokens: TokenTable;
  readonly accountTokens: AccountTokens;
}): Authenticator {
  const { tokens, accountTokens } = deps;

  const verify = (token: string): Authentication | undefined => {
    const known = Object.hasOwn(tokens, token) ? tokens[token] : undefined;
    // A token of the table says nothing of audiences: it is for this server.
    return known === undefined ? accountTokens.verify(token) : { user: withAuthenticated(known), audiences: [issuer] };
  };
  const ofToken: Authenticator['ofToken'] = (token, audiences = [issuer]) => {
    const verified = verify(token);
    const shared = verified?.audiences.filter((audience) => audiences.includes(audience)) ?? [];
    return verified === undefined || shared.length === 0 ? undefined : { user: verified.user, audiences: shared };
  };

  return {
    ofToken,
    audiencesOf: (token) => verify(token)?.audiences ?? [],
    ofHeader(authorization) {
      const token = /^bearer +(\S+)/i.exec(authorization?.trim() ?? '')?.[1];
      return token === undefined ? anonymous : ofToken(token)?.user;
    },
  };
}

/** Whoever has logged in is in this group, named or not (apiserver, group_adder.go). */
function withAuthenticated(user: User): User {
  const group = 'system:authenticated';
  return user.groups.includes(group) ? user : { ...user, groups: [...user.groups, group] };
}
