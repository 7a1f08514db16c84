import type { KeyObject } from 'node:crypto';
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import type { JsonObject } from '../json.ts';
import { isObject } from '../json.ts';

/** What tokens are signed with: an elliptic curve key, ES256 of RFC 7518. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Tells a token's key: the hash of its public part, as upstream's. */
  readonly keyId: string;
}

/** @param pem a key kept from an earlier run; without it a new one is made. */
export function createSigningKey(pem?: string): SigningKey {
  const privateKey =
    pem === undefined ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey : createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey);
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return { privateKey, publicKey, keyId: createHash('sha256').update(der).digest('base64url') };
}

export function signingKeyPem(key: SigningKey): string {
  return key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

export function signJwt(key: SigningKey, claims: JsonObject): string {
  const signed = `${encode({ alg: 'ES256', kid: key.keyId })}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

/** The claims of a token that this key has signed; undefined for anything else. Their meaning is not looked at. */
export function verifyJwt(key: SigningKey, token: string): JsonObject | undefined {
  const [header, claims, signature, ...extra] = token.split('.');
  if (header === undefined || claims === undefined || signature === undefined || extra.length > 0) return undefined;
  // Not what the token says of itself decides how it is checked (RFC 8725, section 3.1).
  if (decode(header)?.['alg'] !== 'ES256') return undefined;
  const isSigned = verify(
    'sha256',
    Buffer.from(`${header}.${claims}`),
    { key: key.publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  return isSigned ? decode(claims) : undefined;
}

function encode(part: JsonObject): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function decode(part: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
