import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

const dayMs = 24 * 60 * 60 * 1000;

/** A self-signed certificate for an IPv4 address, and for others where the same server is reached by them, valid for a year: RFC 5280 by hand, because Node can sign but not issue. */
export function createCertificate(options: {
  host: string;
  alsoHosts?: readonly string[];
  nowMs: number;
}): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = sequence(objectId('2a8648ce3d040302'));
  const commonName = sequence(objectId('550403'), element(tags.utf8, Buffer.from('holdfast-sandbox')));
  const name = sequence(element(tags.set, commonName));
  const addresses = [options.host, ...(options.alsoHosts ?? [])].map((host) =>
    element(0x87, Buffer.from(host.split('.').map(Number))),
  );
  const extensions = sequence(
    extension('551d13', sequence(element(tags.boolean, Buffer.from([0xff])))), // basicConstraints: a CA, of itself
    extension('551d11', sequence(...addresses)), // subjectAltName
  );
  const body = sequence(
    element(0xa0, element(tags.integer, Buffer.from([2]))), // version 3
    element(tags.integer, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    name,
    sequence(utcTime(options.nowMs - dayMs), utcTime(options.nowMs + 365 * dayMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa3, extensions),
  );
  const signature = element(tags.bitString, Buffer.concat([Buffer.from([0]), sign('sha256', body, privateKey)]));
  return {
    cert: pem(sequence(body, ecdsaWithSha256, signature)),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
};

function element(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return element(tags.sequence, ...parts);
}

function objectId(hex: string): Buffer {
  return element(tags.oid, Buffer.from(hex, 'hex'));
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(objectId(id), element(tags.octets, value));
}

function utcTime(ms: number): Buffer {
  const text = new Date(ms).toISOString().replaceAll(/[-:T]/g, '');
  return element(tags.utcTime, Buffer.from(`${text.slice(2, 14)}Z`));
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
