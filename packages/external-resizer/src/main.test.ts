import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { leases } from '@holdfast/kube';
import { type ScriptedDriverOptions, startScriptedDriver, startTestCluster } from '@holdfast/sandbox/testing';
import { type RunningProgram, runMain, spawnProgram } from '@holdfast/sidecar/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

/** Waits for what happens on its own; long enough for a machine under load. */
function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval: 10 });
}

const bin = path.join(import.meta.dirname, 'bin.ts');

function run(...args: string[]): RunningProgram {
  const program = spawnProgram(bin, args, { KUBERNETES_SERVICE_HOST: '' });
  onTestFinished(() => program.kill('SIGKILL'));
  return program;
}

async function cluster() {
  const started = await startTestCluster();
  onTestFinished(() => started.stop());
  return started;
}

async function driverOf(options: ScriptedDriverOptions = {}) {
  const driver = await startScriptedDriver(options);
  onTestFinished(() => driver.stop());
  return driver;
}

async function running(...flags: string[]) {
  const kube = await cluster();
  const driver = await driverOf({ name: 'disk.csi.holdfast' });
  const program = run(`--kubeconfig=${kube.kubeconfigPath}`, `--csi-address=${driver.socketPath}`, ...flags);
  await program.logged(/Starting controller/);
  return { kube, driver, program };
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
    expect(await program.exitCode).toBe(code);
    expect(program.stderr()).toContain(text);
    expect(program.stderr()).not.toContain('    at ');
  });

  it('a driver without a controller service ends it with 1, one that cannot change a volume with 255', async () => {
    const { kubeconfigPath } = await cluster();
    const nodeDriver = await driverOf({ capabilities: { plugin: [] } });
    const first = run(`--kubeconfig=${kubeconfigPath}`, `--csi-address=${nodeDriver.socketPath}`);
    expect(await first.exitCode).toBe(1);
    expect(first.stderr()).toContain('has no controller service');
    const unable = await driverOf({ capabilities: { plugin: ['CONTROLLER_SERVICE'], controller: [], node: [] } });
    const second = run(`--kubeconfig=${kubeconfigPath}`, `--csi-address=${unable.socketPath}`);
    expect(await second.exitCode).toBe(255);
    expect(second.stderr()).toContain('can neither expand nor modify volumes');
  });

  it('a socket that nobody serves is named, with what to look at', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-resizer-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const address = path.join(folder, 'csi.sock');
    const argv = [`--kubeconfig=${(await cluster()).kubeconfigPath}`, `--csi-address=${address}`];
    const program = runMain(path.join(import.meta.dirname, 'main.ts'), argv, { connectTimeoutMs: 50 });
    onTestFinished(() => program.kill('SIGKILL'));
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toMatch(new RegExp(`no connection to ${address} .*is the driver running`));
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
  expect(await program.exitCode).toBe(0);
  expect(program.stdout()).toMatch(/^csi-resizer \S+\n$/);
});

it('leads under the upstream lease name, and releases it and exits 0 on SIGTERM', async () => {
  const { kube, program } = await running('--leader-election', '--leader-election-namespace=default');
  const ref = { name: 'external-resizer-disk-csi-holdfast', namespace: 'default' };
  await eventually(async () => expect((await kube.client.get(leases, ref)).spec?.holderIdentity).not.toBe(''));
  program.kill('SIGTERM');
  expect(await program.exitCode).toBe(0);
  expect((await kube.client.get(leases, ref)).spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
});

it('runs beside a driver that only modifies volumes, also where there is no API for that yet', async () => {
  const kube = await cluster();
  const driver = await driverOf({ capabilities: { controller: ['MODIFY_VOLUME'], node: [] } });
  const argv = [`--kubeconfig=${kube.kubeconfigPath}`, `--csi-address=${driver.socketPath}`, '-v=2'];
  const modifying = run(...argv);
  await modifying.logged(/Starting controller.*modifier/);
  expect(modifying.stderr()).not.toMatch(/Starting controller.*resizer/);
  kube.intercept(({ path: asked }) => (asked === '/apis/storage.k8s.io/v1' ? { status: 404 } : undefined));
  const idle = run(...argv);
  await idle.logged(/Volumes are not modified/);
  for (const program of [modifying, idle]) {
    program.kill('SIGTERM');
    expect(await program.exitCode).toBe(0);
  }
});

it('exits 1 when the driver goes away', async () => {
  const { driver, program } = await running();
  await driver.stop();
  expect(await program.exitCode).toBe(1);
  expect(program.stderr()).toContain('Lost connection to CSI driver');
});
