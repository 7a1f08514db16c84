/** Who a bearer token stands for. */
export interface User {
  readonly username: string;
  readonly groups: readonly string[];
}

/** From bearer token to user. A token that is not in it is answered 401. */
export type TokenTable = Readonly<Record<string, User>>;

export const anonymous: User = { username: 'system:anonymous', groups: ['system:unauthenticated'] };

/** The user of a request; {@link anonymous} without a token, undefined for a token nobody was given. */
export function authenticate(tokens: TokenTable, authorization: string | undefined): User | undefined {
  if (authorization === undefined) return anonymous;
  const token = /^bearer\s+(\S+)$/i.exec(authorization)?.[1];
  if (token === undefined || !Object.hasOwn(tokens, token)) return undefined;
  return tokens[token];
}

// What the discovery of a real cluster's health and version needs nobody to log in for (system:public-info-viewer).
const publicPaths = ['/healthz', '/livez', '/readyz', '/version'];

export function isPublic(path: string): boolean {
  return publicPaths.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}
