import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createKubeClient } from './create-client.ts';
import { loadKubeConfig } from './load-config.ts';
import { namespaces } from './resources.ts';
import { sendJson, startHttpServer } from './testing/http-server.ts';

const imports = vi.hoisted(() => ({ count: 0 }));
vi.mock('@kubernetes/client-node', async (importOriginal) => {
  imports.count += 1;
  return await importOriginal();
});

test('client-node, which costs a process 85 MB, is loaded for a credential plug-in and for nothing else', async () => {
  const server = await startHttpServer((_request, response) => sendJson(response, 200, { metadata: {}, items: [] }));
  const dir = await mkdtemp(join(tmpdir(), 'holdfast-kube-'));
  onTestFinished(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const list = async (user: object) => {
    const kubeconfig = join(dir, 'config');
    const document = {
      'current-context': 'x',
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: server.url } }],
      users: [{ name: 'u', user }],
    };
    await writeFile(kubeconfig, JSON.stringify(document));
    const client = createKubeClient({ config: await loadKubeConfig({ kubeconfig, env: {} }), userAgent: 'test/0' });
    onTestFinished(() => client.close());
    return await client.list(namespaces);
  };
  await list({ token: 't' });
  expect(imports.count).toBe(0);
  const credential = "console.log(JSON.stringify({ status: { token: 't' } }))";
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', credential] };
  await list({ exec });
  expect(imports.count).toBe(1);
}, 30_000);
