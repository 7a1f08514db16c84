import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@holdfast/core';
import { createKubeClient, loadKubeConfig, nodes, persistentVolumeClaims } from '@holdfast/kube';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';

const bin = join(import.meta.dirname, 'bin.ts');
const soon = { timeout: 20_000, interval: 50 };
let dir: string;

interface Program {
  readonly child: ChildProcess;
  readonly closed: Promise<number | null>;
  output(): string;
}
const children: Program[] = [];

function start(...args: string[]): Program {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const closed = once(child, 'close').then(() => child.exitCode);
  const program = { child, closed, output: () => output };
  children.push(program);
  return program;
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'holdfast-sandbox-'));
});
afterEach(async () => {
  for (const { child, closed } of children.splice(0)) {
    child.kill('SIGKILL');
    await closed;
  }
  await rm(dir, { recursive: true, force: true });
});

describe('holdfast-sandbox', () => {
  it('runs a cluster of two programs, and ends both cleanly', async () => {
    const kubeconfig = join(dir, 'kubeconfig');
    const audit = join(dir, 'audit.log');
    // The node is started first: it waits for the API.
    const node = start('kubelet', `--kubeconfig=${kubeconfig}`, '--node-name=n1', `--root-dir=${join(dir, 'kubelet')}`);
    const api = start('apiserver', `--kubeconfig-out=${kubeconfig}`, `--audit-log-path=${audit}`);
    await vi.waitFor(() => access(kubeconfig), soon);
    const client = createKubeClient({
      config: await loadKubeConfig({ kubeconfig, env: {} }),
      userAgent: 'test/0',
      log: silentLogger,
    });
    await vi.waitFor(async () => {
      const { status } = await client.get(nodes, { name: 'n1' });
      expect(status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True');
    }, soon);
    client.close();
    await vi.waitFor(
      async () =>
        expect(await readFile(audit, 'utf8')).toMatch(
          /^{"verb":"patch","resource":"nodes","subresource":"status","name":"n1","userAgent":"holdfast-sandbox.*","user":"kubernetes-admin","code":200}$/m,
        ),
      soon,
    );

    node.child.kill('SIGTERM');
    expect(await node.closed).toBe(0);
    api.child.kill('SIGTERM');
    expect(await api.closed).toBe(0);
    await expect(access(kubeconfig)).rejects.toThrow(/ENOENT/);
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('has objects, tokens and certificate again after %s', async (signal) => {
    const kubeconfig = join(dir, 'kubeconfig');
    const flags = [`--kubeconfig-out=${kubeconfig}`, `--data-dir=${join(dir, 'data')}`, '--loops=false'];
    const startAndLoad = async (
      port: string,
    ): Promise<{ api: Program; text: string; client: ReturnType<typeof createKubeClient>; url: string }> => {
      await rm(kubeconfig, { force: true });
      const api = start('apiserver', ...flags, `--port=${port}`);
      const text = await vi.waitFor(() => readFile(kubeconfig, 'utf8'), soon);
      const config = await loadKubeConfig({ kubeconfig, env: {} });
      const client = createKubeClient({ config, userAgent: 'test/0', log: silentLogger });
      return { api, text, client, url: config.server };
    };
    const first = await startAndLoad('0');
    const claim = {
      metadata: { namespace: 'default', name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    };
    const made = await first.client.create(persistentVolumeClaims, claim);
    const accounts = '/api/v1/namespaces/default/serviceaccounts';
    await first.client.request('POST', accounts, { metadata: { name: 'robot' } });
    const { body } = await first.client.request('POST', `${accounts}/robot/token`, { spec: {} });
    const token = z.object({ status: z.object({ token: z.string() }) }).parse(body).status.token;
    first.client.close();
    first.api.child.kill(signal);
    await first.api.closed;

    const second = await startAndLoad(new URL(first.url).port);
    expect(second.text).toBe(first.text);
    expect(await second.client.get(persistentVolumeClaims, { namespace: 'default', name: 'data' })).toEqual(made);
    const review = await second.client.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      spec: { token },
    });
    expect(review.body).toMatchObject({ status: { authenticated: true } });
    const { resourceVersion } = made.metadata;
    const old = `/api/v1/persistentvolumeclaims?watch=true&resourceVersion=${Number(resourceVersion) - 1}`;
    const told = await second.client.request('GET', old);
    expect(told.body).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    second.client.close();
    second.api.child.kill('SIGTERM');
    expect(await second.api.closed).toBe(0);
  });

  it.each([
    ['no command', [], 2, /no command\nusage/],
    ['an unknown command', ['kubelt'], 2, /unknown command "kubelt"/],
    ['an unknown flag', ['apiserver', '--prot=1'], 2, /prot/],
    ['no kubeconfig', ['apiserver'], 1, /kubeconfig-out.*must name a path/],
    ['a node name that is none', ['kubelet', '--kubeconfig=x', '--node-name=A_b'], 1, /node-name.*lower-case DNS name/],
  ])('refuses %s', async (_, args, code, message) => {
    const program = start(...args);
    expect(await program.closed).toBe(code);
    expect(program.output()).toMatch(message);
  });
});
