import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { createSigningKey, type SigningKey, signingKeyPem } from '../access/jwt.ts';
import { type Certificate, createCertificate } from '../certificate.ts';
import { readIfThere } from './read-if-there.ts';

/** What clients know the server by, and it them. */
export interface Credentials {
  readonly adminToken: string;
  readonly certificate: Certificate;
  readonly signingKey: SigningKey;
}

const shape = z.object({
  adminToken: z.string().min(1),
  certificate: z.object({ cert: z.string(), key: z.string() }),
  signingKey: z.string(),
});

const dayMs = 24 * 60 * 60 * 1000;

export function createCredentials(nowMs: number): Credentials {
  return {
    adminToken: randomUUID(),
    certificate: createCertificate({ host: '127.0.0.1', nowMs }),
    signingKey: createSigningKey(),
  };
}

/** Those of an earlier run, made when there are none. A certificate that is about to end is made anew. */
export function keepCredentials(dir: string, nowMs: number): Credentials {
  const path = join(dir, 'credentials.json');
  const kept = read(path, dir);
  if (kept !== undefined && Date.parse(new X509Certificate(kept.certificate.cert).validTo) > nowMs + dayMs) return kept;
  const made = createCredentials(nowMs);
  const credentials = kept === undefined ? made : { ...kept, certificate: made.certificate };
  const text = JSON.stringify({ ...credentials, signingKey: signingKeyPem(credentials.signingKey) }, undefined, 2);
  writeFileSync(`${path}.new`, `${text}\n`, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
  return credentials;
}

function read(path: string, dir: string): Credentials | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const { signingKey, ...rest } = shape.parse(JSON.parse(text));
    const { cert, key } = rest.certificate;
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) throw new Error('the key is of another');
    return { ...rest, signingKey: createSigningKey(signingKey) };
  } catch {
    // The error's own words may hold what is secret.
    throw new Error(`${path} is damaged: put back a copy of the file, or remove ${dir} to begin with an empty cluster`);
  }
}
