import { createFakeClock, createRecordingLogger } from '@holdfast/core/testing';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createElectionMetrics } from './election-metrics.ts';
import { FenceError } from './fence.ts';
import { createLeaderElector, type LeaderElectionDeps } from './leader-election.ts';
import { sanitizeLeaseName } from './lease-record.ts';
import { type Exchange, startApiDouble } from './testing/api-double.ts';

/** Waits for what happens on its own; long enough for a machine under load. */
function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval: 10 });
}

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases';

interface LeaseBody {
  metadata: { name: string; resourceVersion?: string; labels?: Record<string, string> };
  spec: {
    holderIdentity: string;
    leaseDurationSeconds: number;
    acquireTime: string;
    renewTime: string;
    leaseTransitions: number;
  };
}

function isLease(body: unknown): body is LeaseBody {
  return typeof body === 'object' && body !== null && 'spec' in body && 'metadata' in body;
}

/** One Lease behind real HTTP: PUT needs the right resourceVersion, as on a real server. */
function leaseServer() {
  let lease: LeaseBody | undefined;
  let version = 100;
  let outage: ((exchange: Exchange) => boolean) | undefined;
  const methods: string[] = [];

  function store(body: LeaseBody): LeaseBody {
    version += 1;
    lease = { ...body, metadata: { ...body.metadata, resourceVersion: String(version) } };
    return lease;
  }
  return {
    methods,
    get lease() {
      if (!lease) throw new Error('no lease yet');
      return lease;
    },
    put: (spec: Partial<LeaseBody['spec']>) => {
      const blank = {
        holderIdentity: '',
        leaseDurationSeconds: 15,
        acquireTime: '',
        renewTime: '',
        leaseTransitions: 0,
      };
      store({ metadata: { name: 'lock' }, spec: { ...blank, ...lease?.spec, ...spec } });
    },
    fail: (decide: ((exchange: Exchange) => boolean) | undefined) => {
      outage = decide;
    },
    handle(exchange: Exchange) {
      methods.push(exchange.method);
      if (outage?.(exchange)) exchange.refuse(500, 'InternalError');
      else if (exchange.method === 'POST' && exchange.path === LEASES && isLease(exchange.body)) {
        if (lease) exchange.refuse(409, 'AlreadyExists');
        else exchange.reply(201, store(exchange.body));
      } else if (exchange.path !== `${LEASES}/lock` || !lease) exchange.refuse(404, 'NotFound');
      else if (exchange.method === 'GET') exchange.reply(200, lease);
      else if (exchange.method === 'PUT' && isLease(exchange.body)) {
        if (exchange.body.metadata.resourceVersion !== lease.metadata.resourceVersion) exchange.refuse(409, 'Conflict');
        else exchange.reply(200, store(exchange.body));
      } else exchange.refuse(405, 'MethodNotAllowed');
    },
  };
}

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startServer() {
  const server = leaseServer();
  const api = await startApiDouble(server.handle);
  cleanUps.push(() => api.stop());
  return { server, api };
}

function candidate(
  api: { client: LeaderElectionDeps['client'] },
  identity: string,
  more: Partial<LeaderElectionDeps> = {},
) {
  const clock = createFakeClock();
  const log = createRecordingLogger();
  const abort = new AbortController();
  const work = { started: 0, signal: new AbortController().signal, end: Promise.withResolvers<void>() };
  const registry = new Registry();
  const announced: string[] = [];
  const elector = createLeaderElector({
    client: api.client,
    leaseName: 'lock',
    namespace: 'kube-system',
    identity,
    leaseDurationMs: 15_000,
    renewDeadlineMs: 10_000,
    retryPeriodMs: 5_000,
    releaseOnExit: true,
    async onStartedLeading(signal) {
      work.started += 1;
      work.signal = signal;
      signal.addEventListener('abort', () => work.end.resolve(), { once: true });
      await work.end.promise;
    },
    log,
    clock,
    random: () => 0,
    metrics: createElectionMetrics(registry),
    recorder: { event: (_object, _type, _reason, message) => announced.push(message), flush: async () => {} },
    signal: abort.signal,
    ...more,
  });
  const ended = elector.run();
  ended.catch(() => {});
  cleanUps.push(async () => {
    abort.abort();
    work.end.resolve();
    await eventually(async () => {
      await clock.advance(1_000);
      expect(clock.timers()).toBe(0);
    });
  });
  const leads = () => eventually(() => expect(work.started).toBe(1));
  /** Moves time on once the elector waits for it, so that each request is over before the next. */
  const pass = async (ms: number) => {
    await eventually(() => expect(clock.timers()).toBeGreaterThan(0));
    await clock.advance(ms);
  };
  return { clock, log, abort, work, registry, announced, elector, ended, leads, pass };
}

describe('taking the lease', () => {
  it('creates it as client-go does, with labels', async () => {
    const { server, api } = await startServer();
    const { leads, announced } = candidate(api, 'pod-a', { labels: { app: 'x' } });
    await leads();
    expect(server.methods).toEqual(['GET', 'POST']);
    expect(server.lease).toMatchObject({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'lock', labels: { app: 'x' } },
      spec: {
        holderIdentity: 'pod-a',
        leaseDurationSeconds: 15,
        leaseTransitions: 0,
        renewTime: '2026-01-01T00:00:00.000000Z',
      },
    });
    expect(announced).toEqual(['pod-a became leader']);
  });

  it('takes up its own lease after a restart at once, with no transition', async () => {
    const { server, api } = await startServer();
    server.put({ holderIdentity: 'pod-a', acquireTime: '2025-12-01T00:00:00.000000Z', leaseTransitions: 3 });
    const { leads } = candidate(api, 'pod-a');
    await leads();
    expect(server.lease.spec).toMatchObject({ leaseTransitions: 3, acquireTime: '2025-12-01T00:00:00.000000Z' });
  });

  it('waits for a foreign lease to stand still for its whole duration, whatever its times say', async () => {
    const { server, api } = await startServer();
    // Long expired by the clock on the wall: that clock is another machine's.
    server.put({ holderIdentity: 'pod-b', renewTime: '2020-01-01T00:00:00.000000Z', leaseTransitions: 1 });
    const { pass, work, leads } = candidate(api, 'pod-a');
    await pass(5_000);
    await pass(5_000);
    server.put({ renewTime: '2020-01-01T00:00:05.000000Z' });
    await pass(5_000);
    await pass(5_000);
    await pass(5_000);
    await eventually(() => expect(server.methods).toHaveLength(6));
    expect(work.started).toBe(0);
    await pass(5_000);
    await leads();
    expect(server.lease.spec).toMatchObject({ holderIdentity: 'pod-a', leaseTransitions: 2 });
  });

  it('is refused when another was faster', async () => {
    const { server, api } = await startServer();
    server.put({ holderIdentity: '' });
    server.fail((exchange) => {
      if (exchange.method === 'PUT') server.put({ holderIdentity: 'pod-b' });
      return false;
    });
    const { pass, work } = candidate(api, 'pod-a');
    await pass(0);
    expect(server.lease.spec.holderIdentity).toBe('pod-b');
    expect(work.started).toBe(0);
  });
});

describe('keeping the lease', () => {
  it('takes one PUT per renewal and no GET', async () => {
    const { server, api } = await startServer();
    const { leads, pass, registry } = candidate(api, 'pod-a');
    await leads();
    server.methods.length = 0;
    for (const count of [1, 2, 3]) {
      await pass(5_000);
      await eventually(() => expect(server.methods).toHaveLength(count));
    }
    expect(server.methods).toEqual(['PUT', 'PUT', 'PUT']);
    const metrics = await registry.metrics();
    expect(metrics).toContain('leader_election_master_status{name="lock"} 1');
    expect(metrics).not.toContain('leader_election_slowpath_total{name="lock"}');
  });

  it('reads the lease again when somebody edited it', async () => {
    const { server, api } = await startServer();
    const { leads, pass, work, registry } = candidate(api, 'pod-a');
    await leads();
    server.put({});
    server.methods.length = 0;
    await pass(5_000);
    await eventually(() => expect(server.methods).toEqual(['PUT', 'GET', 'PUT']));
    expect(work.signal.aborted).toBe(false);
    expect(await registry.metrics()).toContain('leader_election_slowpath_total{name="lock"} 1');
  });

  it('survives one renewal that hangs for half the renew deadline', async () => {
    const { server, api } = await startServer();
    const hang = vi.fn<(signal: AbortSignal | undefined) => Promise<void>>();
    const client: LeaderElectionDeps['client'] = {
      ...api.client,
      async replace(resource, ref, object, options) {
        await hang(options?.signal);
        return await api.client.replace(resource, ref, object, options);
      },
      get: (resource, ref, options) =>
        server.methods.includes('POST') ? Promise.reject(new Error('away')) : api.client.get(resource, ref, options),
    };
    const { leads, clock, work } = candidate({ client }, 'pod-a');
    await leads();
    hang.mockImplementationOnce(async (signal) => {
      await clock.sleep(5_000, signal);
      throw new Error('no answer');
    });
    await clock.advance(5_000);
    expect(hang).toHaveBeenCalledTimes(1);
    await clock.advance(5_000);
    await eventually(() => expect(server.methods).toContain('PUT'));
    await clock.advance(4_999);
    expect(work.signal.aborted).toBe(false);
  });

  it('is lost after the renew deadline; the work is told and the fence closed', async () => {
    const { server, api } = await startServer();
    const { leads, clock, work, elector, ended, announced } = candidate(api, 'pod-a');
    await leads();
    expect(elector.fence.isHeld).toBe(true);
    server.fail(() => true);
    await clock.advance(15_000);
    expect(await ended).toBe('lost');
    expect(work.signal.aborted).toBe(true);
    expect(elector.fence.isHeld).toBe(false);
    expect(() => elector.fence.check()).toThrow(FenceError);
    expect(announced).toEqual(['pod-a became leader', 'pod-a stopped leading']);
    expect(server.lease.spec.holderIdentity).toBe('pod-a');
  });

  it('is lost when another holds it', async () => {
    const { server, api } = await startServer();
    const { leads, clock, ended } = candidate(api, 'pod-a');
    await leads();
    server.put({ holderIdentity: 'pod-b' });
    await clock.advance(15_000);
    expect(await ended).toBe('lost');
    expect(server.lease.spec.holderIdentity).toBe('pod-b');
  });

  it('closes the fence by the time alone, when a process was paused', async () => {
    const { api } = await startServer();
    const { leads, clock, elector } = candidate(api, 'pod-a', { leaseDurationMs: 15_000 });
    await leads();
    const { fence } = elector;
    vi.spyOn(clock, 'monotonicMs').mockReturnValue(14_999);
    expect(fence.isHeld).toBe(true);
    vi.spyOn(clock, 'monotonicMs').mockReturnValue(15_000);
    expect(fence.isHeld).toBe(false);
    vi.restoreAllMocks();
  });
});

describe('a clean exit', () => {
  it('lets the work drain, keeps renewing meanwhile, then releases', async () => {
    const { server, api } = await startServer();
    const drain = Promise.withResolvers<void>();
    const { abort, pass, ended, clock } = candidate(api, 'pod-a', { onStartedLeading: () => drain.promise });
    await eventually(() => expect(clock.timers()).toBe(1));
    server.methods.length = 0;
    abort.abort();
    await pass(5_000);
    await eventually(() => expect(server.methods).toEqual(['PUT']));
    expect(server.lease.spec.holderIdentity).toBe('pod-a');
    drain.resolve();
    expect(await ended).toBe('stopped');
    expect(server.lease.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 0 });
  });

  it('leaves the lease to expire when releasing is not asked for', async () => {
    const { server, api } = await startServer();
    const { leads, abort, ended, elector } = candidate(api, 'pod-a', { releaseOnExit: false });
    await leads();
    abort.abort();
    expect(await ended).toBe('stopped');
    expect(elector.fence.isHeld).toBe(false);
    expect(server.lease.spec.holderIdentity).toBe('pod-a');
  });

  it('releases also after a renewal that was cut off but reached the server', async () => {
    const { server, api } = await startServer();
    const { leads, abort, ended } = candidate(api, 'pod-a');
    await leads();
    server.put({ renewTime: '2026-01-01T00:00:05.000000Z' });
    abort.abort();
    expect(await ended).toBe('stopped');
    expect(server.lease.spec.holderIdentity).toBe('');
  });

  it('of a standby writes nothing', async () => {
    const { server, api } = await startServer();
    server.put({ holderIdentity: 'pod-b' });
    const { abort, ended, clock } = candidate(api, 'pod-a');
    await eventually(() => expect(clock.timers()).toBe(1));
    abort.abort();
    expect(await ended).toBe('stopped');
    expect(server.methods).toEqual(['GET']);
  });

  it('passes on the error that ended the work, after releasing', async () => {
    const { server, api } = await startServer();
    const boom = new Error('boom');
    const { ended } = candidate(api, 'pod-a', { onStartedLeading: () => Promise.reject(boom) });
    await expect(ended).rejects.toBe(boom);
    expect(server.lease.spec.holderIdentity).toBe('');
  });
});

describe('health', () => {
  it('is bad only for a leader that has not renewed for the lease and 20 s', async () => {
    const { server, api } = await startServer();
    const leader = candidate(api, 'pod-a');
    await leader.leads();
    const standby = candidate(api, 'pod-b');
    await eventually(() => expect(server.methods).toContain('GET'));
    expect(standby.elector.leaderHealth().isHealthy).toBe(true);
    vi.spyOn(leader.clock, 'monotonicMs').mockReturnValue(35_000);
    expect(leader.elector.leaderHealth()).toEqual({ isHealthy: true, message: 'ok' });
    vi.spyOn(leader.clock, 'monotonicMs').mockReturnValue(35_001);
    expect(leader.elector.leaderHealth().isHealthy).toBe(false);
    vi.restoreAllMocks();
  });
});

it.each([
  [{ leaseDurationMs: 10_000 }, 'lease-duration must be greater'],
  [{ retryPeriodMs: 9_000 }, 'renew-deadline must be greater'],
  [{ retryPeriodMs: 0 }, 'retry-period must be greater'],
  [{ identity: '' }, 'needs an identity'],
])('refuses durations that cannot work: %j', async (wrong, message) => {
  const { api } = await startServer();
  const valid = {
    client: api.client,
    leaseName: 'lock',
    namespace: 'n',
    identity: 'a',
    leaseDurationMs: 15_000,
    renewDeadlineMs: 10_000,
    retryPeriodMs: 5_000,
    releaseOnExit: false,
    onStartedLeading: async () => {},
    log: createRecordingLogger(),
    signal: AbortSignal.abort(),
  };
  expect(() => createLeaderElector({ ...valid, ...wrong })).toThrow(message);
});

it.each([
  ['hostpath.csi.k8s.io', 'hostpath-csi-k8s-io'],
  ['a/b_c', 'a-b-c'],
  ['ends.', 'ends-X'],
])('sanitizes %s', (name, expected) => {
  expect(sanitizeLeaseName(name)).toBe(expected);
});
