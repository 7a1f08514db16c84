import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { startTestCluster, type TestCluster } from '../../testing/index.ts';

const hasKubectl = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0;
const suite = hasKubectl ? 'kubectl' : 'kubectl (not on PATH: install it to run these)';
const run = promisify(execFile);

const shape = z.looseObject({ iat: z.number(), exp: z.number() });

let cluster: TestCluster;
let dir: string;

/** Its typed clients write protobuf: what it makes here is read as that. */
async function kubectl(...args: string[]): Promise<string> {
  const where = [`--kubeconfig=${cluster.kubeconfigPath}`, `--cache-dir=${join(dir, 'cache')}`];
  const { stdout } = await run('kubectl', [...where, ...args], { timeout: 25_000 });
  return stdout;
}

/** `kubectl auth can-i` says no by its exit code too. */
async function mayI(...args: string[]): Promise<string> {
  try {
    return await kubectl('auth', 'can-i', ...args);
  } catch (error) {
    if (error instanceof Error && 'stdout' in error && error.stdout !== '') return String(error.stdout);
    throw error;
  }
}

describe.skipIf(!hasKubectl)(suite, () => {
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'holdfast-kubectl-'));
    cluster = await startTestCluster({ tls: true });
    await kubectl('create', 'serviceaccount', 'robot');
    await kubectl('create', 'clusterrole', 'reader', '--verb=list,watch', '--resource=persistentvolumes');
    await kubectl('create', 'clusterrolebinding', 'reader', '--clusterrole=reader', '--serviceaccount=default:robot');
    await kubectl('create', 'role', 'leader', '--verb=update', '--resource=leases', '--resource-name=mine');
    await kubectl('create', 'rolebinding', 'leader', '--role=leader', '--serviceaccount=default:robot');
  }, 60_000);
  afterAll(async () => {
    await cluster.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('makes roles and bindings, and shows them', async () => {
    expect(await kubectl('get', 'clusterrolebinding', 'reader', '-o', 'wide')).toMatch(
      /^NAME +ROLE +AGE +USERS +GROUPS +SERVICEACCOUNTS\nreader +ClusterRole\/reader +\d+s +default\/robot\n$/,
    );
    expect(await kubectl('describe', 'role', 'leader')).toMatch(
      /leases\.coordination\.k8s\.io +\[\] +\[mine\] +\[update\]/,
    );
  });

  it('is told what another may', async () => {
    const as = '--as=system:serviceaccount:default:robot';
    expect(await mayI('list', 'persistentvolumes', as)).toBe('yes\n');
    expect(await mayI('delete', 'persistentvolumes', as)).toBe('no\n');
    expect(await mayI('update', 'leases/mine', as)).toBe('yes\n');
    expect(await mayI('update', 'leases/other', as)).toBe('no\n');
    expect(await mayI('update', 'leases/mine', as, '--namespace=kube-system')).toBe('no\n');
    expect(await mayI('get', '/metrics', as)).toBe('no\n');
    expect(await kubectl('auth', 'can-i', '--list', as)).toMatch(/persistentvolumes +\[\] +\[\] +\[list watch\]/);
  });

  it('gets a token, and is its account with it', async () => {
    await kubectl('create', 'secret', 'generic', 's');
    const bound = ['--bound-object-kind=Secret', '--bound-object-name=s'];
    const token = (await kubectl('create', 'token', 'robot', '--duration=20m', '--audience=vault', ...bound)).trim();
    const claims = shape.parse(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()));
    expect(claims).toMatchObject({ aud: ['vault'], 'kubernetes.io': { secret: { name: 's' } } });
    expect(claims.exp - claims.iat).toBe(1200);

    const own = (await kubectl('create', 'token', 'robot')).trim();
    expect(await kubectl('--token', own, 'auth', 'whoami')).toContain('system:serviceaccount:default:robot');
  });
});
