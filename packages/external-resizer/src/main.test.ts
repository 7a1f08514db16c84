import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { leases } from '@holdfast/kube';
import { type ScriptedDriverOptions, startScriptedDriver, startTestCluster } from '@holdfast/sandbox/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';

/** Waits for what happens on its own; long enough for a machine under load. */
function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval: 10 });
}

const bin = fileURLToPath(new URL('./bin.ts', import.meta.url));

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Program {
  child: ChildProcess;
  stderr(): string;
  stdout(): string;
  ended: Promise<number | null>;
}

/** The program as a container runs it: its own process, its own command line. */
function run(...args: string[]): Program {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: {} });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close').then(() => child.exitCode);
  cleanUps.push(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, stderr: () => stderr, stdout: () => stdout, ended };
}

async function clusterAndDriver(options: ScriptedDriverOptions = {}) {
  const cluster = await startTestCluster();
  cleanUps.push(() => cluster.stop());
  const driver = await startScriptedDriver(options);
  cleanUps.push(() => driver.stop());
  return { cluster, driver, args: [`--kubeconfig=${cluster.kubeconfigPath}`, `--csi-address=${driver.socketPath}`] };
}

describe('bad input', () => {
  it.each<[string, string[], number, string]>([
    ['an unknown flag', ['--worker=3'], 2, 'worker'],
    ['a value that is none', ['--workers=many'], 2, 'workers'],
    ['a bare number as a duration', ['--timeout=10'], 2, 'timeout'],
    ['no workers', ['--workers=0'], 1, '--workers'],
    ['an unknown gate', ['--feature-gates=Nonsense=true'], 1, 'Nonsense'],
    [
      'a gate whose other path is not there',
      ['--feature-gates=RecoverVolumeExpansionFailure=false'],
      1,
      'not supported',
    ],
    ['a kubeconfig that is not there', ['--kubeconfig=/does/not/exist'], 1, '/does/not/exist'],
  ])('%s is named, and ends the program', async (_name, args, code, text) => {
    const program = run(...args);
    expect(await program.ended).toBe(code);
    expect(program.stderr()).toContain(text);
    expect(program.stderr()).not.toContain('    at ');
  });

  it('a driver without a controller service ends it with 1, one that cannot expand with 255', async () => {
    const { cluster, args } = await clusterAndDriver({ capabilities: { plugin: [] } });
    const first = run(...args);
    expect(await first.ended).toBe(1);
    expect(first.stderr()).toContain('has no controller service');
    const unable = await startScriptedDriver({
      capabilities: { plugin: ['CONTROLLER_SERVICE'], controller: [], node: [] },
    });
    cleanUps.push(() => unable.stop());
    const second = run(`--kubeconfig=${cluster.kubeconfigPath}`, `--csi-address=${unable.socketPath}`);
    expect(await second.ended).toBe(255);
    expect(second.stderr()).toContain('cannot expand volumes');
  });
});

it('takes every flag of csi-resizer', async () => {
  const program = run(
    '-v=5',
    '-master=',
    '--timeout=15s',
    '--workers=3',
    '--resync-period=1m',
    '--retry-interval-start=2s',
    '--retry-interval-max=1m',
    '--handle-volume-inuse-error=false',
    '--extra-modify-metadata=true',
    '--leader-election',
    '--leader-election-namespace=ns',
    '--feature-gates=AnnotateFsResize=true,VolumeAttributesClass=false',
    '--kube-api-qps=5',
    '--kube-api-burst=10',
    '--http-endpoint=:0',
    '--metrics-path=/m',
    '--version',
  );
  expect(await program.ended).toBe(0);
  expect(program.stdout()).toMatch(/^csi-resizer \S+\n$/);
});

it('leads under the upstream lease name, and releases it and exits 0 on SIGTERM', async () => {
  const { cluster, args } = await clusterAndDriver({ name: 'disk.csi.holdfast' });
  const program = run(...args, '--leader-election', '--leader-election-namespace=default');
  const ref = { name: 'external-resizer-disk-csi-holdfast', namespace: 'default' };
  await eventually(async () => expect((await cluster.client.get(leases, ref)).spec?.holderIdentity).not.toBe(''));
  await eventually(() => expect(program.stderr()).toContain('Starting controller'));
  program.child.kill('SIGTERM');
  expect(await program.ended).toBe(0);
  expect((await cluster.client.get(leases, ref)).spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
});

it('exits 1 when the driver goes away', async () => {
  const { driver, args } = await clusterAndDriver();
  const program = run(...args);
  await eventually(() => expect(program.stderr()).toContain('Starting controller'));
  await driver.stop();
  cleanUps.splice(1, 1);
  expect(await program.ended).toBe(1);
  expect(program.stderr()).toContain('Lost connection to CSI driver');
});
