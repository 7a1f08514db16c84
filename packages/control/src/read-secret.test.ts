import { afterEach, expect, it } from 'vitest';
import { readSecret, SecretError } from './read-secret.ts';
import { type ApiDouble, type Exchange, startApiDouble } from './testing/api-double.ts';

let api: ApiDouble;
afterEach(() => api.stop());

const ref = { name: 'keys', namespace: 'default' };
const options = { namedBy: 'csi.controllerPublishSecretRef', signal: new AbortController().signal };

async function serve(handle: (exchange: Exchange) => void): Promise<void> {
  api = await startApiDouble(handle);
}

async function serveData(data: Record<string, Buffer>): Promise<void> {
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value.toString('base64')]));
  await serve((exchange) => exchange.reply(200, { metadata: ref, data: encoded }));
}

it('gives values as text, byte for byte', async () => {
  await serveData({ password: Buffer.from('\uFEFFgrün\n'), empty: Buffer.alloc(0) });
  expect(await readSecret(api.client, ref, options)).toEqual({ password: '\uFEFFgrün\n', empty: '' });
  expect(api.exchanges.map(({ path }) => path)).toEqual(['/api/v1/namespaces/default/secrets/keys']);
});

it('asks for nothing when no secret is needed', async () => {
  await serveData({});
  expect(await readSecret(api.client, undefined, options)).toEqual({});
  expect(api.exchanges).toEqual([]);
});

it('names the key of a value that is not UTF-8, and not the value', async () => {
  await serveData({ token: Buffer.from([0xff, 0xfe]) });
  await expect(readSecret(api.client, ref, options)).rejects.toThrow(
    new SecretError('Secret "default/keys": the value of key "token" is not UTF-8 text, which CSI cannot carry'),
  );
});

it.each([
  [404, 'NotFound', 'Secret "default/keys", which csi.controllerPublishSecretRef names, does not exist: create it'],
  [403, 'Forbidden', 'Secret "default/keys" may not be read: grant get on secrets to this service account'],
  [400, 'BadRequest', 'Secret "default/keys" cannot be read: refused: BadRequest'],
])('tells a user what %d means', async (code, reason, message) => {
  await serve((exchange) => exchange.refuse(code, reason));
  await expect(readSecret(api.client, ref, options)).rejects.toThrow(new SecretError(message));
});

it.each([{ name: 'keys' }, { namespace: 'default' }, { name: '', namespace: 'default' }])(
  'refuses half a reference: %o',
  async (half) => {
    await serveData({});
    await expect(readSecret(api.client, half, options)).rejects.toThrow(
      new SecretError('csi.controllerPublishSecretRef needs both name and namespace'),
    );
  },
);
