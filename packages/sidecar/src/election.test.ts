import { untilAborted } from '@holdfast/core';
import { createRecordingLogger } from '@holdfast/core/testing';
import { createKubeClient, leases } from '@holdfast/kube';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type ElectionDeps, runWithElection } from './election.ts';
import { defineFlags } from './flags.ts';
import { createMetricsRegistry } from './metrics.ts';
import { standardFlags } from './standard-flags.ts';
import { startLeaseServer } from './testing/lease-server.ts';

const flags = defineFlags(standardFlags);
const quick = [
  '--leader-election',
  '--leader-election-namespace=kube-system',
  '--leader-election-lease-duration=2s',
  '--leader-election-renew-deadline=1s',
  '--leader-election-retry-period=50ms',
  '--leader-election-labels=team:storage',
  '--http-endpoint=127.0.0.1:0',
];

async function setUp(argv: readonly string[], work: ElectionDeps['work'], more: Partial<ElectionDeps> = {}) {
  const server = await startLeaseServer();
  const log = createRecordingLogger();
  const controller = new AbortController();
  const client = createKubeClient({
    config: { server: server.url, credentials: async () => ({ tls: {} }) },
    userAgent: 'test/0',
  });
  onTestFinished(async () => {
    controller.abort();
    client.close();
    await server.stop();
  });
  const running = runWithElection({
    values: flags.parse(argv, { syntax: 'go' }),
    context: {
      name: 'csi-demo',
      version: '0',
      log,
      registry: createMetricsRegistry(),
      signal: controller.signal,
      hostname: 'pod_1',
      env: {},
      fatalExitCode: 1,
    },
    client,
    leaseName: 'demo.csi.holdfast',
    work,
    signal: controller.signal,
    ...more,
  });
  running.catch(() => {});
  const url = async (): Promise<string> => {
    const line = await vi.waitFor(() => {
      const found = log.lines.find((each) => each.message === 'HTTP server is listening');
      if (found === undefined) throw new Error('not listening yet');
      return found;
    });
    return `http://127.0.0.1:${Number(line.fields.port)}`;
  };
  return { server, running, controller, url };
}

/** Of an API server whose lease somebody has taken just now. */
async function clientOfHeldLease(holderIdentity: string) {
  const server = await startLeaseServer();
  const client = createKubeClient({
    config: { server: server.url, credentials: async () => ({ tls: {} }) },
    userAgent: 'test/0',
  });
  onTestFinished(async () => {
    client.close();
    await server.stop();
  });
  await client.create(leases, {
    metadata: { name: 'demo-csi-holdfast', namespace: 'kube-system' },
    spec: { holderIdentity, leaseDurationSeconds: 3_600, leaseTransitions: 0 },
  });
  return client;
}

describe('runWithElection', () => {
  it('works while it holds the lease, and releases it once the work has drained', async () => {
    const leading = Promise.withResolvers<void>();
    let isDrained = false;
    const { server, running, controller } = await setUp(quick, async (signal, fence) => {
      fence.check();
      leading.resolve();
      await untilAborted(signal);
      expect(server.lease()?.spec?.holderIdentity).toBe('pod-1');
      isDrained = true;
    });
    await leading.promise;
    expect(server.lease()?.metadata).toMatchObject({
      name: 'demo-csi-holdfast',
      namespace: 'kube-system',
      labels: { team: 'storage' },
    });
    controller.abort(new Error('SIGTERM'));
    await running;
    expect(isDrained).toBe(true);
    expect(server.lease()?.spec?.holderIdentity || '').toBe('');
  });

  it('stops the work and exits 1 when the lease is lost', async () => {
    const leading = Promise.withResolvers<AbortSignal>();
    const { server, running } = await setUp(quick, (signal) => {
      leading.resolve(signal);
      return untilAborted(signal);
    });
    const signal = await leading.promise;
    server.steal('another');
    await expect(running).rejects.toMatchObject({ exitCode: 1, message: expect.stringContaining('stopped leading') });
    expect(signal.aborted).toBe(true);
  });

  it('throws what the work throws', async () => {
    const { running } = await setUp(quick, () => Promise.reject(new Error('work broke')));
    await expect(running).rejects.toThrow('work broke');
  });

  it('serves its health and metrics beside the work', async () => {
    const { url } = await setUp(quick, untilAborted);
    const health = await fetch(`${await url()}/healthz/leader-election`);
    expect([health.status, await health.text()]).toEqual([200, 'ok']);
    expect(await (await fetch(`${await url()}/metrics`)).text()).toContain('leader_election_master_status');
  });

  it('works at once without --leader-election: no lease, no health path', async () => {
    const { url, server } = await setUp(['--http-endpoint=127.0.0.1:0'], untilAborted);
    expect((await fetch(`${await url()}/healthz/leader-election`)).status).toBe(404);
    expect(server.lease()).toBeUndefined();
  });

  it('explains on --http-endpoint what the leader has in work', async () => {
    let isWorking = false;
    const explainer = () => (isWorking ? {} : undefined);
    const work: ElectionDeps['work'] = async (signal) => {
      isWorking = true;
      await untilAborted(signal);
    };
    const { url } = await setUp(quick, work, { explainer });
    const ask = async () => await (await fetch(`${await url()}/debug/explain`)).text();
    await vi.waitFor(async () => {
      expect(await ask()).toContain('This replica leads: it holds the lease kube-system/demo-csi-holdfast.');
    });
  });

  it('explains on a standby who leads', async () => {
    const standby = await setUp(quick, () => Promise.reject(new Error('the lease is another’s')), {
      explainer: () => undefined,
      client: await clientOfHeldLease('another'),
    });
    const ask = async () => await (await fetch(`${await standby.url()}/debug/explain?claim=a/b`)).text();
    await vi.waitFor(async () => {
      expect(await ask()).toContain('stands by: ask "another", which holds the lease kube-system/demo-csi-holdfast');
    });
  });

  it('explains nothing on the metrics address of old', async () => {
    const { url } = await setUp(['--metrics-address=127.0.0.1:0'], untilAborted, { explainer: () => ({}) });
    expect((await fetch(`${await url()}/debug/explain`)).status).toBe(404);
  });

  it('refuses durations that do not fit, with the exit code of the panic upstream', async () => {
    const { running } = await setUp(['--leader-election', '--leader-election-lease-duration=5s'], untilAborted);
    await expect(running).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('--leader-election-lease-duration must be greater'),
    });
  });
});
