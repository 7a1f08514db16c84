import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@holdfast/core';
import { attacherRole } from '@holdfast/external-attacher';
import { provisionerRole } from '@holdfast/external-provisioner';
import { csiNodes, leases, persistentVolumeClaims, persistentVolumes, volumeAttachments } from '@holdfast/kube';
import {
  type ScriptedDriverOptions,
  startScriptedDriver,
  startTestCluster,
  type TestCluster,
} from '@holdfast/sandbox/testing';
import { createMetricsRegistry, type Role } from '@holdfast/sidecar';
import { type RunningProgram, spawnProgram } from '@holdfast/sidecar/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { controllers } from './controllers.ts';
import { createHttpHost } from './http-host.ts';
import { givenTo } from './role-flags.ts';
import { runRoles } from './run-roles.ts';

const DRIVER = 'whole.csi.holdfast';
const soon = { timeout: 60_000, interval: 50 };
const namespace = 'default';
const source = join(import.meta.dirname, '..', '..', '..');

const everything = {
  plugin: ['CONTROLLER_SERVICE', 'EXPANSION_ONLINE'],
  controller: ['CREATE_DELETE_VOLUME', 'PUBLISH_UNPUBLISH_VOLUME', 'EXPAND_VOLUME'],
} as const satisfies ScriptedDriverOptions['capabilities'];

async function setUp(capabilities: ScriptedDriverOptions['capabilities'] = everything) {
  const cluster = await startTestCluster({ loops: true });
  onTestFinished(() => cluster.stop());
  const driver = await startScriptedDriver({ name: DRIVER, capabilities });
  onTestFinished(() => driver.stop());
  await cluster.apply(`
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: plain }
provisioner: ${DRIVER}
allowVolumeExpansion: true
`);
  await cluster.client.create(csiNodes, {
    metadata: { name: 'node-a' },
    spec: { drivers: [{ name: DRIVER, nodeID: 'node-a', topologyKeys: [] }] },
  });
  const flags = [`--csi-address=${driver.socketPath}`, `--kubeconfig=${cluster.kubeconfigPath}`];
  const election = ['--leader-election', '--leader-election-namespace=default', '--leader-election-retry-period=100ms'];
  return { cluster, driver, flags, election };
}

function run(folder: string, ...args: string[]): RunningProgram {
  const program = spawnProgram(join(source, folder, 'src', 'bin.ts'), args, { KUBECONFIG: '', POD_NAME: '' });
  onTestFinished(() => program.kill('SIGKILL'));
  return program;
}

async function createClaim({ client }: TestCluster, name: string): Promise<string> {
  await client.create(persistentVolumeClaims, {
    metadata: { name, namespace },
    spec: { storageClassName: 'plain', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });
  return await vi.waitFor(async () => {
    const { spec, status } = await client.get(persistentVolumeClaims, { name, namespace });
    expect(status?.phase).toBe('Bound');
    return spec?.volumeName ?? '';
  }, soon);
}

async function attach({ client }: TestCluster, name: string, persistentVolumeName: string): Promise<void> {
  await client.create(volumeAttachments, {
    metadata: { name },
    spec: { attacher: DRIVER, nodeName: 'node-a', source: { persistentVolumeName } },
  });
  await vi.waitFor(
    async () => expect((await client.get(volumeAttachments, { name })).status?.attached).toBe(true),
    soon,
  );
}

async function holders({ client }: TestCluster): Promise<Record<string, string>> {
  const { items } = await client.list(leases, { namespace });
  return Object.fromEntries(items.map(({ metadata, spec }) => [metadata.name, spec?.holderIdentity ?? '']));
}

const attacherLease = `external-attacher-leader-${DRIVER}`.replaceAll('.', '-');

describe('holdfast controllers', { timeout: 180_000 }, () => {
  it('does what the three do, with one watch for each kind of objects and one lease for each role', async () => {
    const { cluster, flags, election } = await setUp();
    const { client, requests } = cluster;
    const program = run('holdfast', 'controllers', ...flags, ...election, '--http-endpoint=127.0.0.1:0');
    const [, port = ''] = await program.logged(/"HTTP server is listening".* port=(\d+)/);
    const volume = await createClaim(cluster, 'data');
    await attach(cluster, 'attachment', volume);
    const body = { spec: { resources: { requests: { storage: '2Gi' } } } };
    await client.patch(persistentVolumeClaims, { name: 'data', namespace }, { kind: 'merge', body });
    await vi.waitFor(async () => {
      const { spec } = await client.get(persistentVolumes, { name: volume });
      expect(spec?.capacity).toEqual({ storage: '2Gi' });
    }, soon);

    const watched = requests.filter(
      ({ userAgent, verb }) => userAgent.startsWith('csi-') && (verb === 'watch' || verb === 'list'),
    );
    expect(watched.map(({ resource }) => resource).toSorted()).toEqual([
      'csinodes',
      'persistentvolumeclaims',
      'persistentvolumes',
      'storageclasses',
      'volumeattachments',
    ]);
    expect(Object.keys(await holders(cluster)).toSorted()).toEqual([
      attacherLease,
      `external-resizer-${DRIVER}`.replaceAll('.', '-'),
      DRIVER.replaceAll('.', '-'),
    ]);

    const ask = async (path: string) => {
      const reply = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: reply.status, text: await reply.text() };
    };
    expect(await ask('/healthz/leader-election')).toEqual({ status: 200, text: 'ok' });
    expect(await ask('/healthz/leader-election/resizer')).toEqual({ status: 200, text: 'ok' });
    const { text } = await ask('/metrics');
    for (const method of ['CreateVolume', 'ControllerPublishVolume', 'ControllerExpandVolume']) {
      expect(text).toMatch(new RegExp(`csi_sidecar_operations_seconds_count\\{.*/${method}".*\\} 1`));
    }
    for (const lease of Object.keys(await holders(cluster))) {
      expect(text).toContain(`leader_election_master_status{name="${lease}"} 1`);
    }
    program.kill('SIGTERM');
    expect(await program.exitCode, program.stderr()).toBe(0);
    expect(new Set(Object.values(await holders(cluster)))).toEqual(new Set(['']));
  });

  it('stands by beside a separate sidecar, takes over its lease, and gives it back', async () => {
    const { cluster, driver, flags, election } = await setUp();
    const separate = run('external-attacher', ...flags, ...election);
    await vi.waitFor(async () => expect((await holders(cluster))[attacherLease]).toBeTruthy(), soon);

    const stopping = new AbortController();
    const { given } = controllers.flags.read([...flags, ...election], { syntax: 'pflag' });
    const chosen = (name: string, role: Role) => ({ name, role, given: givenTo(name, role, given) });
    const running = runRoles({
      roles: [chosen('provisioner', provisionerRole), chosen('attacher', attacherRole)],
      http: createHttpHost('/metrics'),
      context: {
        name: 'holdfast controllers',
        version: 'test',
        log: silentLogger,
        registry: createMetricsRegistry(),
        signal: stopping.signal,
        hostname: 'one-pod',
        env: {},
        fatalExitCode: 1,
      },
    });
    onTestFinished(async () => {
      stopping.abort();
      await running;
    });
    const volume = await createClaim(cluster, 'data');
    await attach(cluster, 'first', volume);
    expect(await holders(cluster)).toMatchObject({ [attacherLease]: expect.not.stringMatching(/^one-pod$/) });

    separate.kill('SIGTERM');
    expect(await separate.exitCode).toBe(0);
    await vi.waitFor(async () => expect((await holders(cluster))[attacherLease]).toBe('one-pod'), soon);
    await attach(cluster, 'second', await createClaim(cluster, 'more'));

    const again = run('external-attacher', ...flags, ...election);
    stopping.abort(new Error('SIGTERM'));
    await running;
    await attach(cluster, 'third', await volumeOf(cluster));
    again.kill('SIGTERM');
    expect(await again.exitCode).toBe(0);
    expect(driver.calls.filter(({ method }) => method === 'ControllerPublishVolume')).toHaveLength(3);
  });
});

/** One that an administrator wrote, for when nobody provisions. */
async function volumeOf({ client }: TestCluster): Promise<string> {
  const [volume] = (await client.list(persistentVolumes)).items;
  const name = 'by-hand';
  await client.create(persistentVolumes, {
    metadata: { name },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      csi: { driver: DRIVER, volumeHandle: volume?.spec?.csi?.volumeHandle ?? '' },
    },
  });
  return name;
}

describe('the failure of one role', { timeout: 180_000 }, () => {
  const errorLine = (program: RunningProgram) =>
    program
      .stderr()
      .split('\n')
      .filter((line) => line.startsWith('E'));

  it.each<[string, string[], number, RegExp]>([
    ['csi-provisioner', ['--enable-capacity'], 255, /"--enable-capacity needs the environment variable NAMESPACE/],
    ['csi-attacher', ['--attacher-timeout=0s'], 1, /"invalid value for --timeout: must be greater than zero/],
    ['csi-resizer', [], 255, /can neither expand nor modify volumes/],
  ])('%s ends the process as that program would', async (role, more, exitCode, says) => {
    const { flags } = await setUp({ plugin: ['CONTROLLER_SERVICE'], controller: ['CREATE_DELETE_VOLUME'], node: [] });
    const roles = role === 'csi-resizer' ? [] : ['--roles=provisioner,attacher'];
    const program = run('holdfast', 'controllers', ...flags, ...roles, ...more);
    expect(await program.exitCode, program.stderr()).toBe(exitCode);
    expect(errorLine(program)).toEqual([expect.stringMatching(says)]);
    expect(program.stderr()).toContain(`role="${role}"`);
  });

  it('whose lease is taken away names it, and gives the other leases back', async () => {
    const { cluster, flags, election } = await setUp();
    const quick = ['--leader-election-lease-duration=2s', '--leader-election-renew-deadline=1s'];
    const program = run('holdfast', 'controllers', ...flags, ...election, ...quick);
    await vi.waitFor(async () => {
      expect(Object.values(await holders(cluster)).filter((holder) => holder !== '')).toHaveLength(3);
    }, soon);
    const isAttachers = (path: string) => path.endsWith(`/leases/${attacherLease}`);
    cluster.intercept(({ method, path }) => (method !== 'GET' && isAttachers(path) ? { status: 500 } : undefined));
    expect(await program.exitCode, program.stderr()).toBe(1);
    expect(errorLine(program).at(-1)).toMatch(
      /"stopped leading: lost the lease default\/external-attacher.*role="csi-attacher"/,
    );
    const { [attacherLease]: _lost, ...others } = await holders(cluster);
    expect(new Set(Object.values(others))).toEqual(new Set(['']));
  });

  it('who loses the driver ends with 1 and says so', async () => {
    const { driver, cluster, flags } = await setUp();
    const program = run('holdfast', 'controllers', ...flags);
    await createClaim(cluster, 'data');
    await driver.stop();
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toMatch(/"Lost connection to CSI driver, exiting" role="csi-\w+"/);
  });
});

it('an address that is taken ends it with 1 and one line', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-http-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const program = run('holdfast', 'controllers', '--http-endpoint=no-address', `--kubeconfig=${folder}`);
  expect(await program.exitCode).toBe(1);
  expect(program.stderr()).toMatch(/invalid address \\"no-address\\": write host:port/);
}, 60_000);
