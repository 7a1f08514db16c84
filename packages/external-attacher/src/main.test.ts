import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { csiNodes, leases, persistentVolumes, volumeAttachments } from '@holdfast/kube';
import { startScriptedDriver, startTestCluster } from '@holdfast/sandbox/testing';
import { type RunningProgram, runMain, spawnProgram } from '@holdfast/sidecar/testing';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { DRIVER } from './testing/objects.ts';

const bin = join(import.meta.dirname, 'bin.ts');

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

describe('command line', () => {
  test('an unknown flag exits with 2 and shows the flags', async () => {
    const program = run('--no-such-flag');
    expect(await program.exitCode).toBe(2);
    expect(program.stderr()).toContain('flag provided but not defined: -no-such-flag');
    expect(program.stderr()).toContain('--reconcile-sync');
  });

  test.each([
    [['--worker-threads=0'], /--worker-threads: must be at least 1/],
    [['--timeout=0s'], /--timeout: must be greater than zero/],
    [['--max-entries=-1'], /--max-entries: must not be negative/],
    [['--feature-gates=NoSuchGate=true'], /NoSuchGate/],
    [['--metrics-address=:1', '--http-endpoint=:2'], /only one of/],
    [
      ['--kubeconfig=/nowhere/kubeconfig'],
      /kubeconfig \/nowhere\/kubeconfig cannot be read: ENOENT.*Pass --kubeconfig=FILE/,
    ],
    [[], /no --kubeconfig is set and this is not a pod/],
  ])('%j exits with 1 and says why', async (args, message) => {
    const program = run(...args);
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toMatch(message);
  });

  test('every flag of the Go sidecar is taken, in both spellings', async () => {
    const args = [
      '--csi-address=/csi/csi.sock -timeout=60s --worker-threads=100 --resync=10m --retry-interval-start=500ms -v=5',
      '--retry-interval-max=1m --reconcile-sync=5m --max-entries=100 --default-fstype=ext4 --max-grpc-log-length=1000',
      '--leader-election --leader-election-namespace=x --leader-election-lease-duration=15s --leader-election-labels=a:b',
      '--leader-election-renew-deadline=10s --leader-election-retry-period=5s --kube-api-qps=20 --kube-api-burst=100',
      '--http-endpoint=:8080 --metrics-path=/metrics --automaxprocs --logging-format=json --kubeconfig=/x',
      '--feature-gates=ReleaseLeaderElectionOnExit=true,MutableCSINodeAllocatableCount=false',
    ];
    const program = run(...args.join(' ').split(' '), '--version');
    expect(await program.exitCode).toBe(0);
    expect(program.stdout()).toMatch(/^csi-attacher \d/);
  });
});

describe('a socket', () => {
  test('that is no unix socket is refused at once', async () => {
    const program = run(`--kubeconfig=${(await cluster()).kubeconfigPath}`, '--csi-address=tcp://127.0.0.1:1');
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toMatch(/tcp:\/\/127\.0\.0\.1:1.*not a unix socket/);
  });

  test('that nobody serves ends the program with what to look at', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-attacher-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const address = join(folder, 'csi.sock');
    const argv = [`--kubeconfig=${(await cluster()).kubeconfigPath}`, `--csi-address=${address}`];
    const program = runMain(join(import.meta.dirname, 'main.ts'), argv, { connectTimeoutMs: 50 });
    onTestFinished(() => program.kill('SIGKILL'));
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toMatch(new RegExp(`no connection to ${address} .*is the driver running`));
  });
});

describe('the program', () => {
  async function running(...flags: string[]) {
    const kube = await cluster();
    const driver = await startScriptedDriver({ name: DRIVER });
    onTestFinished(() => driver.stop());
    driver.on('ControllerPublishVolume', () => Promise.resolve({ publishContext: { device: 'sdb' } }));
    const program = run(`--kubeconfig=${kube.kubeconfigPath}`, `--csi-address=${driver.socketPath}`, ...flags);
    const { client } = kube;
    await client.create(csiNodes, {
      metadata: { name: 'node-1' },
      spec: { drivers: [{ name: DRIVER, nodeID: 'n1', topologyKeys: [] }] },
    });
    await client.create(persistentVolumes, {
      metadata: { name: 'pv-1' },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        csi: { driver: DRIVER, volumeHandle: 'vol-1' },
      },
    });
    await client.create(volumeAttachments, {
      metadata: { name: 'va-1' },
      spec: { attacher: DRIVER, nodeName: 'node-1', source: { persistentVolumeName: 'pv-1' } },
    });
    const attached = async () => {
      const { status } = await client.get(volumeAttachments, { name: 'va-1' });
      expect(status).toMatchObject({ attached: true, attachmentMetadata: { device: 'sdb' } });
    };
    await vi.waitFor(attached, { timeout: 20_000 });
    return { kube, driver, program };
  }

  test('attaches while it leads, and on SIGTERM ends with 0 and hands the lease over', async () => {
    const { kube, program } = await running('--leader-election', '--leader-election-namespace=kube-system');
    const ref = { name: 'external-attacher-leader-disk-csi-example', namespace: 'kube-system' };
    expect((await kube.client.get(leases, ref)).spec?.holderIdentity).not.toBe('');
    program.kill('SIGTERM');
    expect(await program.exitCode).toBe(0);
    expect((await kube.client.get(leases, ref)).spec?.holderIdentity ?? '').toBe('');
  });

  test('logs no more of an answer than --max-grpc-log-length', async () => {
    const { program } = await running('-v=5', '--max-grpc-log-length=10');
    expect(program.stderr()).toMatch(/GRPC response.*\(the first 10 of \d+ characters\)/);
    expect(program.stderr()).not.toContain('device:sdb');
    expect(program.stderr()).not.toContain('"sdb"');
  });

  test('serves its metrics under upstream names', async () => {
    const { program } = await running('--http-endpoint=127.0.0.1:0');
    const [, port] = await program.logged(/"HTTP server is listening".* port=(\d+)/);
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(text).toMatch(
      /csi_sidecar_operations_seconds_count\{[^}]*method_name="\/csi.v1.Controller\/ControllerPublishVolume"[^}]*\} 1/,
    );
    expect(text).toMatch(/workqueue_adds_total\{name="csi-attacher-va"\} [1-9]/);
    expect(text).toMatch(/workqueue_depth\{name="csi-attacher-pv"\} 0/);
  });

  test('exits with 1 when the driver goes away, so that the container restarts', async () => {
    const { driver, program } = await running();
    await driver.stop();
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toContain('Lost connection to CSI driver, exiting');
  });
});
