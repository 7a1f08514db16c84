import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@holdfast/core';
import { leases } from '@holdfast/kube';
import { expect, it, onTestFinished } from 'vitest';
import { defineFlags } from './flags.ts';
import { connectKube } from './kube-access.ts';
import { standardFlags } from './standard-flags.ts';

async function startSilentServer(): Promise<string> {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

async function kubeconfigFor(server: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-kubeconfig-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'config');
  await writeFile(
    path,
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server } }],
      users: [{ name: 'u', user: { token: 't' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  );
  return path;
}

it('gives a request about the lease up after half the renew deadline', async () => {
  const kubeconfig = await kubeconfigFor(await startSilentServer());
  const argv = [`--kubeconfig=${kubeconfig}`, '--leader-election-renew-deadline=100ms'];
  const access = await connectKube({
    values: defineFlags(standardFlags).parse(argv, { syntax: 'go' }),
    context: { name: 'csi-demo', version: '0', env: {}, log: silentLogger, fatalExitCode: 1 },
  });
  onTestFinished(() => access.close());
  await expect(access.electionClient.get(leases, { name: 'l', namespace: 'n' })).rejects.toThrow(
    'no answer within 0.05 s',
  );
});
