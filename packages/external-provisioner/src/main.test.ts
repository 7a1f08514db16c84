import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { sanitizeLeaseName } from '@holdfast/control';
import { leases, persistentVolumes, storageClasses } from '@holdfast/kube';
import { startScriptedDriver, startTestCluster } from '@holdfast/sandbox/testing';
import { type RunningProgram, runMain, spawnProgram } from '@holdfast/sidecar/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { annotations } from './names.ts';

const bin = path.join(import.meta.dirname, 'bin.ts');

function run(...args: string[]): RunningProgram {
  const program = spawnProgram(bin, args, { KUBECONFIG: '' });
  onTestFinished(() => program.kill('SIGKILL'));
  return program;
}

async function cluster() {
  const started = await startTestCluster();
  onTestFinished(() => started.stop());
  return started;
}

describe('command line', () => {
  it('exits 2 on a flag it does not have, with its usage', async () => {
    const program = run('--no-such-flag');
    expect(await program.exitCode).toBe(2);
    expect(program.stderr()).toContain('no-such-flag');
    expect(program.stderr()).toContain('--volume-name-prefix');
  });

  it.each([
    [['--timeout=15'], 2, /timeout/],
    [['--worker-threads=0'], 1, /--worker-threads: must be at least 1/],
    [['--volume-name-uuid-length=33'], 1, /--volume-name-uuid-length: must be -1, or 1 to 32/],
    [['--volume-name-prefix='], 1, /--volume-name-prefix: must be .*not empty/],
    [['--capacity-threads=0'], 1, /--capacity-threads: must be at least 1/],
    [['--node-deployment=true'], 255, /--node-deployment needs the environment variable NODE_NAME/],
    [['--cloning-protection-threads=0'], 1, /--cloning-protection-threads: must be at least 1/],
    [['--feature-gates=HonorPVReclaimPolicy=true'], 255, /HonorPVReclaimPolicy/],
    [['--kubeconfig=/nowhere/kubeconfig'], 255, /\/nowhere\/kubeconfig/],
  ])('refuses %j with exit code %d', async (args, code, message) => {
    const program = run(...args);
    expect(await program.exitCode).toBe(code);
    expect(program.stderr()).toMatch(message);
  });

  it('takes every flag of the Go sidecar', async () => {
    const flags = [
      '--csi-address=/csi/csi.sock --master=http://127.0.0.1:1 --timeout=60s --worker-threads=10 --retry-interval-start=1s',
      '--retry-interval-max=5m --volume-name-prefix=pvc --volume-name-uuid-length=8 --default-fstype=ext4 --extra-create-metadata',
      '--strict-topology --immediate-topology=false --controller-publish-readonly --prevent-volume-mode-conversion=false',
      '--cloning-protection-threads=1 --snapshot-orphan-sweep-interval=5m --enable-pprof --enable-capacity=false --capacity-threads=1',
      '--capacity-poll-interval=1m --capacity-for-immediate-binding --capacity-ownerref-level=2 --kube-api-capacity-qps=1',
      '--kube-api-capacity-burst=5 --node-deployment=false --node-deployment-immediate-binding=false --node-deployment-base-delay=20s',
      '--node-deployment-max-delay=60s --leader-election --kube-api-qps=20 --kube-api-burst=40 --http-endpoint=:8080 -v5',
      '--feature-gates=Topology=true,VolumeAttributesClass=true,CrossNamespaceVolumeDataSource=true,ReleaseLeaderElectionOnExit=true',
    ];
    const program = run(...flags.join(' ').split(' '), '--version');
    expect(await program.exitCode).toBe(0);
    expect(program.stdout()).toMatch(/^csi-provisioner /);
  });
});

describe('a socket', () => {
  it('that cannot be one is refused at once', async () => {
    const { kubeconfigPath } = await cluster();
    const program = run(`--kubeconfig=${kubeconfigPath}`, '--csi-address=tcp://127.0.0.1:1');
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toMatch(/tcp:\/\/127\.0\.0\.1:1.* unix socket/);
  });

  it('that nobody serves ends the program with what to look at', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-provisioner-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const address = path.join(folder, 'csi.sock');
    const argv = [`--kubeconfig=${(await cluster()).kubeconfigPath}`, `--csi-address=${address}`];
    const program = runMain(
      path.join(import.meta.dirname, 'main.ts'),
      argv,
      { connectTimeoutMs: 50 },
      { KUBECONFIG: '' },
    );
    onTestFinished(() => program.kill('SIGKILL'));
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toMatch(new RegExp(`no connection to ${address} .*is the driver running`));
  });
});

describe('the program', () => {
  async function running(...flags: string[]) {
    const kube = await cluster();
    const driver = await startScriptedDriver();
    onTestFinished(() => driver.stop());
    const program = run(`--kubeconfig=${kube.kubeconfigPath}`, `--csi-address=${driver.socketPath}`, ...flags);
    await kube.client.create(storageClasses, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'fast' },
      provisioner: driver.name,
    });
    await kube.apply({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', annotations: { [annotations.storageProvisioner]: driver.name } },
      spec: { storageClassName: 'fast', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    await vi.waitFor(async () => expect((await kube.client.list(persistentVolumes)).items).toHaveLength(1), {
      timeout: 20_000,
    });
    return { kube, driver, program };
  }

  it('provisions while it holds the lease, and on SIGTERM stops leading and ends with 0', async () => {
    const { kube, program } = await running('--leader-election', '--leader-election-namespace=kube-system');
    const ref = { name: 'scripted-csi-holdfast', namespace: 'kube-system' };
    expect((await kube.client.get(leases, ref)).spec?.holderIdentity).toBe(sanitizeLeaseName(hostname()));
    program.kill('SIGTERM');
    expect(await program.exitCode).toBe(0);
    expect(program.stderr()).toContain('"Stopped leading"');
  });

  it('ends with 1 when the driver goes away', async () => {
    const { driver, program } = await running();
    await driver.stop();
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toContain('Lost connection to CSI driver');
  });

  it('shows upstream’s metrics', async () => {
    const { program } = await running('--http-endpoint=127.0.0.1:0');
    const [, port] = await program.logged(/"HTTP server is listening".* port=(\d+)/);
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(text).toContain('controller_persistentvolumeclaim_provision_total{class="fast",source=""} 1');
    expect(text).toContain('workqueue_depth{name="claims"}');
    expect(text).toMatch(/csi_sidecar_operations_seconds_count\{.*CreateVolume.*\} 1/);
  });
});
