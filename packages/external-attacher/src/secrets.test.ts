import { secrets } from '@holdfast/kube';
import { startTestCluster } from '@holdfast/sandbox/testing';
import { expect, onTestFinished, test } from 'vitest';
import { readSecret } from './secrets.ts';

const signal = new AbortController().signal;

async function clusterWith(data: Record<string, Buffer>) {
  const cluster = await startTestCluster();
  onTestFinished(() => cluster.stop());
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value.toString('base64')]));
  await cluster.client.create(secrets, { metadata: { name: 'keys', namespace: 'default' }, data: encoded });
  return cluster;
}
const ref = { name: 'keys', namespace: 'default' };

test('values arrive as text, byte for byte', async () => {
  const { client } = await clusterWith({ password: Buffer.from('\uFEFFgrün\n'), empty: Buffer.alloc(0) });
  expect(await readSecret(client, ref, signal)).toEqual({ password: '\uFEFFgrün\n', empty: '' });
});

test('a value that is not UTF-8 is named by its key', async () => {
  const { client } = await clusterWith({ token: Buffer.from([0xff, 0xfe]) });
  await expect(readSecret(client, ref, signal)).rejects.toThrow(
    'Secret "default/keys": the value of key "token" is not UTF-8 text, which CSI cannot carry',
  );
});

test('a half-given reference, a missing secret and a missing right each name the remedy', async () => {
  const cluster = await clusterWith({});
  await expect(readSecret(cluster.client, { name: 'keys', namespace: '' }, signal)).rejects.toThrow(
    'needs both name and namespace',
  );
  await expect(readSecret(cluster.client, { ...ref, name: 'none' }, signal)).rejects.toThrow(
    'does not exist: create it',
  );
  const body = { kind: 'Status', code: 403, reason: 'Forbidden', message: 'no' };
  cluster.intercept(({ resource }) => (resource === 'secrets' ? { status: 403, body } : undefined));
  await expect(readSecret(cluster.client, ref, signal)).rejects.toThrow('grant get on secrets');
});
